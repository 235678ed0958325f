/**
 * JSON written as a codec says, in one pass: what `is`, `encode` and `orderedJson` do one after the other, with a
 * copy of the value between them. Every decision is checked and written before anything acts on it, so that this
 * is most of what one costs.
 */
import * as t from 'io-ts'
import type { AddedType, OneOfType, StructType, TaggedType } from './codec.js'
import { ordered } from './ordered-json.js'

// ------------------------------------------------------------------------------------------ model

/** Writes a value; `undefined`: the codec refuses it, or it says nothing that JSON has. */
export type ToJson = (value: unknown) => string | undefined

interface Field {
  readonly key: string
  readonly needed: boolean
  /** Its name, as the first that is written and as a later one. */
  readonly first: string
  readonly later: string
  readonly json: ToJson
}

type Walkable =
  | OneOfType<string>
  | StructType<t.Props, t.Props>
  | AddedType<t.Mixed>
  | TaggedType<StructType<t.Props, t.Props>>
  | t.LiteralType<string | number | boolean>
  | t.ArrayType<t.Mixed>
  | t.StringType
  | t.BooleanType

// ----------------------------------------------------------------------------------- constructors

/**
 * How values of `codec` are written: the very text of `orderedJson(codec.encode(value))`, where `codec.is(value)`.
 *
 * @example jsonOf(struct('point', { y: count, x: count }))({ y: 2, x: 1, z: 3 }) // => '{"x":1,"y":2}'
 * @example jsonOf(struct('point', { x: count }))({ x: -1 }) // => undefined
 */
export const jsonOf = (codec: t.Mixed): ToJson => {
  const walkable = codec as Walkable
  switch (walkable._tag) {
    case 'Struct':
      return ofStruct(walkable)
    case 'Tagged':
      return ofTagged(walkable)
    case 'Added':
      return jsonOf(walkable.codec)
    case 'ArrayType':
      return ofArray(jsonOf(walkable.type))
    case 'OneOf':
      return ofMembers(walkable.members)
    case 'LiteralType':
      return ofMembers([walkable.value])
    case 'BooleanType':
      return ofMembers([true, false])
    case 'StringType':
      return (value) => (typeof value === 'string' ? ofText(value) : undefined)
    default:
      return codec.encode === t.identity ? ofAtom(codec) : slowly(codec)
  }
}

// ------------------------------------------------------------------------------------ combinators

const slowly =
  (codec: t.Mixed): ToJson =>
  (value) =>
    codec.is(value) ? ordered(codec.encode(value)) : undefined

// What stands in a text as it is, between two quotes.
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/

const ofText = (text: string): string => (plain.test(text) ? `"${text}"` : JSON.stringify(text))

const ofAtom =
  (codec: t.Mixed): ToJson =>
  (value) => {
    if (!codec.is(value)) return undefined
    if (typeof value === 'string') return ofText(value)
    return Number.isFinite(value) ? String(value) : ordered(value)
  }

const ofMembers = (members: readonly (string | number | boolean)[]): ToJson => {
  const written = new Map<unknown, string>(members.map((one) => [one, JSON.stringify(one)]))
  return (value) => written.get(value)
}

const ofArray =
  (json: ToJson): ToJson =>
  (value) => {
    if (!Array.isArray(value)) return undefined
    let written = '['
    for (let i = 0; i < value.length; i++) {
      const item = json(value[i])
      if (item === undefined) return undefined
      written += i === 0 ? item : `,${item}`
    }
    return `${written}]`
  }

const fieldsOf = (props: t.Props, needed: boolean): readonly Field[] =>
  Object.entries(props).map(([key, codec]) => {
    const name = `${JSON.stringify(key)}:`
    return { key, needed, first: `{${name}`, later: `,${name}`, json: jsonOf(codec) }
  })

const ofStruct = ({ required, optional }: StructType<t.Props, t.Props>): ToJson => {
  const fields = [...fieldsOf(required, true), ...fieldsOf(optional, false)]
  fields.sort((a, b) => (a.key < b.key ? -1 : 1))
  return (value) => {
    if (!t.UnknownRecord.is(value)) return undefined
    let written = ''
    for (const { key, needed, first, later, json } of fields) {
      const held = Object.hasOwn(value, key) ? value[key] : undefined
      if (held === undefined && !needed) continue
      const said = json(held)
      if (said === undefined) return undefined
      written += (written === '' ? first : later) + said
    }
    return written === '' ? '{}' : `${written}}`
  }
}

const ofTagged = ({ field, members }: TaggedType<StructType<t.Props, t.Props>>): ToJson => {
  const byTag = new Map<unknown, ToJson>(
    members.map((member) => [(member.required[field] as t.LiteralC<string>).value, jsonOf(member)]),
  )
  return (value) => {
    if (!t.UnknownRecord.is(value)) return undefined
    return byTag.get(Object.hasOwn(value, field) ? value[field] : undefined)?.(value)
  }
}

/** Writes the same value once, though it is asked for it several times in a row; it must not have changed. */
export const onceInARow = (json: ToJson): ToJson => {
  let latest: unknown
  let said: string | undefined
  return (value) => {
    if (value !== latest) {
      said = json(value)
      latest = value
    }
    return said
  }
}
