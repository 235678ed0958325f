/**
 * Values nobody should pass: of the wrong type, out of every range, endless, deep, huge, and objects that
 * throw when they are looked at; and how a sound value is spoilt with them.
 */
import type { Chance } from '@session-recovery/testkit'

// ------------------------------------------------------------------------------------------ model

export type Plain = Readonly<Record<string, unknown>>

const endless = (): object => {
  const self: Record<string, unknown> = { a: [] }
  self.self = self
  return self
}

const deep = (levels: number): unknown => {
  let value: unknown = 'bottom'
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? { in: value } : [value]
  return value
}

/** JSON in which a key is called as what objects inherit from. */
const inherited = (): unknown => JSON.parse('{"__proto__":{"polluted":1},"constructor":{"a":1}}')

const makers: readonly [() => unknown, ...(() => unknown)[]] = [
  () => undefined,
  () => null,
  () => true,
  () => Number.NaN,
  () => Number.POSITIVE_INFINITY,
  () => Number.NEGATIVE_INFINITY,
  () => -1,
  () => -0,
  () => 0,
  () => 0.5,
  () => 2 ** 31,
  () => Number.MAX_SAFE_INTEGER,
  () => Number.MAX_VALUE,
  () => Number.MIN_VALUE,
  () => 10n ** 30n,
  () => '',
  () => '0',
  () => 'NaN',
  () => '\0',
  () => '\ud800',
  () => '../../../etc/passwd',
  () => 'x'.repeat(100_000),
  () => [],
  () => [null],
  () => new Array(10_000),
  () => ({}),
  () => Object.create(null),
  () => new Date(Number.NaN),
  () => new Map([['a', 1]]),
  () => /x/,
  () => Symbol('s'),
  () => () => {
    throw new Error('called')
  },
  () => Promise.resolve(1),
  endless,
  () => deep(100),
  () => deep(20_000),
  inherited,
  () => new Uint8Array(32),
]

// ------------------------------------------------------------------------------------ combinators

export const hostileValue = (chance: Chance): unknown => chance.pick(makers)()

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' &&
  value !== null &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value))

/** `sound` with one to three fields, at any depth, replaced, removed or added. */
export const spoilt = (sound: Plain, chance: Chance): Plain => {
  let value = sound
  for (let left = chance.whole(1, 3); left > 0; left--) value = spoiltOnce(value, chance) as Plain
  return value
}

const spoiltOnce = (value: unknown, chance: Chance): unknown => {
  if (Array.isArray(value) && value.length > 0 && chance.percent(60)) {
    const at = chance.whole(0, value.length - 1)
    return value.map((item, i) => (i === at ? spoiltOnce(item, chance) : item))
  }
  if (!isPlain(value)) return hostileValue(chance)
  const keys = Object.keys(value)
  const key = keys[chance.whole(0, Math.max(keys.length - 1, 0))]
  if (key === undefined || chance.percent(5)) {
    return {
      ...value,
      [chance.pick(['unknown', 'toString', 'constructor', ''])]: hostileValue(chance),
    }
  }
  const inner = value[key]
  const isDeeper = (isPlain(inner) || Array.isArray(inner)) && chance.percent(60)
  return { ...value, [key]: isDeeper ? spoiltOnce(inner, chance) : hostileValue(chance) }
}
