/**
 * Laws of the codecs: what is stored comes back as it was, nothing unknown or undefined comes in, nobody's
 * prototype is touched, and a refusal names subject and field.
 */
import { deepStrictEqual } from 'node:assert/strict'
import * as core from '@session-recovery/core'
import {
  dictionary,
  InteractiveState,
  instant,
  JournalEntry,
  oneOf,
  Policy,
  RecoverySnapshot,
  SessionEvent,
  SessionRecord,
  SnapshotUpdate,
  struct,
  tagged,
  variant,
} from '@session-recovery/core'
import { arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { ordered } from '../src/ordered-json.js'

const codecs = Object.entries(core).filter(
  (entry): entry is [string, t.Mixed] => entry[1] instanceof t.Type,
)

const stored = (codec: t.Mixed, value: unknown): unknown =>
  JSON.parse(JSON.stringify(codec.encode(value)))

const read = <A>(codec: t.Type<A, unknown, unknown>, input: unknown): A => {
  const result = core.decode(codec, 'it')(input)
  if (E.isLeft(result)) throw new Error(result.left.message)
  return result.right
}

const refusal = (codec: t.Mixed, input: unknown, subject = 'it'): core.DecodeError => {
  const result = core.decode(codec, subject)(input)
  if (E.isRight(result)) throw new Error('it was accepted')
  return result.left
}

/** A valid value of `codec`, always the same. */
const sample = <A, O>(codec: t.Type<A, O, unknown>): A => {
  const [value] = fc.sample(arbitraryOf(codec), { seed: 7, numRuns: 1 })
  if (value === undefined) throw new Error(`no sample of ${codec.name}`)
  return value
}

describe('every codec the package exports', () => {
  test('is found', () => {
    const names = codecs.map(([name]) => name)
    expect(names.length).toBeGreaterThan(40)
    expect(names).toEqual(
      expect.arrayContaining(['SessionRecord', 'JournalEntry', 'Policy', 'RecoverySnapshot']),
    )
  })

  test.each(codecs)('%s: stored and read again, every value is the same', (_, codec) => {
    holds(
      fc.property(arbitraryOf(codec), (value) => {
        expect(codec.is(value)).toBe(true)
        const back = read(codec, stored(codec, value))
        deepStrictEqual(back, value)
        deepStrictEqual(stored(codec, back), stored(codec, value))
      }),
    )
  })

  test.each(codecs)(
    '%s: its JSON in one pass is the ordered JSON of what it encodes, where it holds',
    (_, codec) => {
      const json = core.jsonOf(codec)
      holds(
        fc.property(arbitraryOf(codec), (value) => {
          expect(json(value)).toBe(ordered(codec.encode(value)))
        }),
      )
      const junk = fc.oneof(fc.anything({ withBigInt: true, withDate: true }), fc.jsonValue())
      holds(
        fc.property(junk, (value) => {
          const expected = codec.is(value) ? ordered(codec.encode(value)) : undefined
          expect(json(value)).toBe(expected)
        }),
      )
    },
  )

  test.each(codecs)('%s: whatever is read, it answers and never throws', (_, codec) => {
    const junk = fc.oneof(fc.anything({ withBigInt: true, withDate: true }), fc.jsonValue())
    holds(
      fc.property(junk, (input) => {
        const result = codec.decode(input)
        if (E.isRight(result)) expect(codec.is(result.right)).toBe(true)
      }),
    )
  })
})

describe('struct', () => {
  const Point = struct('point', { x: core.finite }, { label: t.string, seen: instant })
  const polluted = JSON.parse(
    '{"x": 1, "__proto__": {"label": "inherited", "isAdmin": true}, "hasOwnProperty": 1, "more": 2}',
  )

  test('drops unknown and undefined fields', () => {
    deepStrictEqual(read(Point, { x: 1, y: 2, label: undefined }), { x: 1 })
    deepStrictEqual(Point.encode({ x: 1, ...{ y: 2 } }), { x: 1 })
  })

  test('writes its fields in the declared order, whatever order they came in', () => {
    const value = { seen: new Date(0), label: 'a', x: 1 }
    expect(JSON.stringify(Point.encode(value))).toBe(
      '{"x":1,"label":"a","seen":"1970-01-01T00:00:00.000Z"}',
    )
    expect(Object.keys(read(Point, Point.encode(value)))).toEqual(['x', 'label', 'seen'])
  })

  test('reads own fields only, and gives back an object that inherits nothing new', () => {
    const point = read(Point, polluted)
    deepStrictEqual(point, { x: 1 })
    expect(Object.getPrototypeOf(point)).toBe(Object.prototype)
    deepStrictEqual(read(Point, Object.create({ label: 'inherited' }, { x: { value: 1 } })), {
      x: 1,
    })
  })

  test('names what is missing', () => {
    expect(refusal(Point, { label: 'a' }).message).toBe(
      'it: x: expected finite number, got undefined',
    )
    expect(refusal(Point, [1]).message).toBe('it: expected point, got an array of 1')
  })
})

describe('tagged', () => {
  const Shape = tagged('shape', '_tag', [
    variant('dot', { at: core.finite }),
    variant('line', { at: core.finite, to: struct('end', { at: core.finite }) }),
  ])

  test('reports the errors of the member that is meant', () => {
    expect(refusal(Shape, { _tag: 'line', at: 1, to: { at: 'x' } }, 'shape').message).toBe(
      'shape: to.at: expected finite number, got "x"',
    )
  })

  test.each([{}, { _tag: 'blob' }, { _tag: ['dot'] }, { _tag: '__proto__' }])(
    'names the tags it knows: %j',
    (input) => {
      expect(refusal(Shape, input)).toMatchObject({ path: '_tag', expected: '_tag (dot, line)' })
    },
  )

  test('is not fooled by a value of another member', () => {
    expect(Shape.is({ _tag: 'line', at: 1 })).toBe(false)
    expect(Shape.is(null)).toBe(false)
  })
})

describe('dictionary', () => {
  const Environment = dictionary('environment', t.string)
  const hostile = JSON.parse('{"__proto__": "x", "constructor": "y", "PATH": "/bin"}')

  test('takes __proto__ for a key like any other', () => {
    const back = read(Environment, hostile)
    expect(Object.keys(back)).toEqual(['__proto__', 'constructor', 'PATH'])
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(JSON.stringify(Environment.encode(back))).toBe(
      '{"__proto__":"x","constructor":"y","PATH":"/bin"}',
    )
  })

  test('names the key at fault', () => {
    expect(refusal(Environment, { PATH: 1 }, 'environment').message).toBe(
      'environment: PATH: expected string, got 1',
    )
  })

  test('survives in a snapshot and pollutes nothing', () => {
    const snapshot = {
      ...(RecoverySnapshot.encode(sample(RecoverySnapshot)) as object),
      environment: hostile,
      sessionState: JSON.parse('{"__proto__": {"isAdmin": true}, "a": {"__proto__": 1}}'),
    }
    const back = read(RecoverySnapshot, JSON.parse(JSON.stringify(snapshot)))
    expect(Object.keys(back.environment)).toContain('__proto__')
    expect(JSON.stringify(back.sessionState)).toBe(
      '{"__proto__":{"isAdmin":true},"a":{"__proto__":1}}',
    )
    expect(Object.getPrototypeOf(back.sessionState)).toBe(Object.prototype)
    expect('isAdmin' in {}).toBe(false)
    expect('isAdmin' in (back.sessionState as object)).toBe(false)
  })
})

describe('numbers, texts and instants', () => {
  const refused: readonly (readonly [string, t.Mixed, readonly unknown[]])[] = [
    ['finite', core.finite, [Number.NaN, Infinity, -Infinity, '1', null, undefined]],
    ['nonNegative', core.nonNegative, [Number.NaN, Infinity, -1, -Number.MIN_VALUE]],
    ['intervalMs', core.intervalMs, [Number.NaN, Infinity, -100, Number.MIN_VALUE, 99.9]],
    ['atLeastOne', core.atLeastOne, [Number.NaN, Infinity, 0, 0.999]],
    ['share', core.share, [Number.NaN, -0.001, 1.001]],
    ['count', core.count, [Number.NaN, -1, 0.5, 2 ** 53]],
    ['exitStatus', core.exitStatus, [-1, 256, 0.5]],
    ['epochMs', core.epochMs, [Number.NaN, Infinity, 8.64e15 + 2]],
    ['text', core.text, ['', 1]],
    [
      'instant',
      instant,
      [
        new Date(Number.NaN),
        0,
        '',
        'yesterday',
        '1',
        '2024-13-01T00:00:00Z',
        '2024-01-01T00:00:00',
        '2024-01-01T00:00',
      ],
    ],
    ['oneOf', oneOf('colour', 'red'), ['', 'blue', '__proto__', null, ['red']]],
  ]
  test.each(refused)('%s refuses what is out of range', (_, codec, inputs) => {
    for (const input of inputs) {
      expect(E.isLeft(codec.decode(input)), String(input)).toBe(true)
      expect(codec.is(input), String(input)).toBe(false)
    }
  })

  test.each<readonly [string, t.Mixed, readonly unknown[]]>([
    ['nonNegative', core.nonNegative, [0, Number.MAX_VALUE]],
    ['intervalMs', core.intervalMs, [0, 100, Number.MAX_VALUE]],
    ['atLeastOne', core.atLeastOne, [1, Number.MAX_VALUE]],
    ['share', core.share, [0, 1]],
    ['count', core.count, [0, Number.MAX_SAFE_INTEGER]],
    ['exitStatus', core.exitStatus, [0, 255]],
    ['epochMs', core.epochMs, [-8.64e15, 0, 8.64e15]],
    ['text', core.text, [' ']],
  ])('%s accepts what is just within range', (_, codec, inputs) => {
    for (const input of inputs) {
      expect(codec.decode(input), String(input)).toEqual(E.right(input))
      expect(codec.is(input), String(input)).toBe(true)
    }
  })

  test('an instant does not depend on where it is read', () => {
    expect(read(instant, '2024-01-02').toISOString()).toBe('2024-01-02T00:00:00.000Z')
    expect(read(instant, '2024-01-02T03:04:05.678+02:00').toISOString()).toBe(
      '2024-01-02T01:04:05.678Z',
    )
    holds(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        expect(read(instant, date.toISOString()).getTime()).toBe(date.getTime())
      }),
    )
  })
})

/** `value` with what stands at `path` replaced. */
const withAt = (value: unknown, path: readonly string[], change: unknown): unknown => {
  const [key, ...rest] = path
  if (key === undefined) return change
  if (Array.isArray(value)) {
    return value.map((item, i) => (String(i) === key ? withAt(item, rest, change) : item))
  }
  return { ...(value as object), [key]: withAt((value as never)[key], rest, change) }
}

/** Every path to a field in stored data. */
const pathsIn = (value: unknown, path: readonly string[] = []): readonly (readonly string[])[] =>
  typeof value !== 'object' || value === null
    ? [path]
    : [path, ...Object.entries(value).flatMap(([key, v]) => pathsIn(v, [...path, key]))]

describe('a refusal', () => {
  test.each([
    [
      'session record',
      'control.incident.plan.priority',
      SessionRecord,
      'urgent',
      'session record: control.incident.plan.priority: expected priority (high, medium, low), got "urgent"',
    ],
    [
      'policy',
      'recoveryDelay',
      Policy,
      -1,
      'policy: recoveryDelay: expected finite number of at least 0, got -1',
    ],
    [
      'policy',
      'triggers.timeoutCount',
      Policy,
      0.5,
      'policy: triggers.timeoutCount: expected whole number of at least 0, got 0.5',
    ],
    [
      'snapshot update',
      'interactiveState.pendingSince',
      SnapshotUpdate,
      'soon',
      'snapshot update: interactiveState.pendingSince: expected date, got "soon"',
    ],
  ] as const)('%s: %s is named', (subject, path, codec: t.Mixed, bad, message) => {
    const whole = fc
      .sample(arbitraryOf(codec), { seed: 1, numRuns: 300 })
      .map((value) => stored(codec, value))
      .find((value) => pathsIn(value).some((found) => found.join('.') === path))
    expect(refusal(codec, withAt(whole, path.split('.'), bad), subject)).toMatchObject({
      _tag: 'DecodeError',
      subject,
      path,
      message,
    })
  })

  // What the app keeps of its own may hold anything: a symbol there is left out, not refused.
  const closed = [
    ['SessionRecord', SessionRecord],
    ['JournalEntry', JournalEntry],
    ['SessionEvent', SessionEvent],
    ['InteractiveState', InteractiveState],
    ['Policy', Policy],
    ['Projection', core.Projection],
  ] as const
  test.each(closed)(
    '%s: whatever single field is broken, it is the one that is named',
    (_, codec: t.Mixed) => {
      const broken = Symbol('broken')
      const spoilt = arbitraryOf(codec).chain((value) => {
        const json = stored(codec, value)
        return fc.constantFrom(...pathsIn(json)).map((path) => ({ json, path }))
      })
      holds(
        fc.property(spoilt, ({ json, path }) => {
          expect(refusal(codec, withAt(json, path, broken)).path).toBe(path.join('.'))
        }),
      )
    },
  )

  test('does not repeat what an object holds, and cuts long texts', () => {
    const { message } = refusal(instant, { password: 'hunter22' })
    expect(message).toBe('it: expected date, got an object')
    expect(refusal(instant, 'x'.repeat(1_000)).message.length).toBeLessThan(120)
  })

  test('inside unions and intersections the path is that of the field', () => {
    const codec = t.intersection([
      t.type({ a: t.union([t.type({ b: t.type({ c: t.string }) }), t.boolean]) }),
      t.type({ d: t.array(t.string) }),
    ])
    expect(refusal(codec, { a: { b: { c: 1 } }, d: [] }).path).toBe('a.b.c')
    expect(refusal(codec, { a: true, d: ['x', 2] }).path).toBe('d.1')
  })
})

test('a list of texts has a text in each place, and says which is none', () => {
  const history = core.SnapshotUpdate.decode({ commandHistory: ['ls', 'cd'] })
  expect(history).toEqual(E.right({ commandHistory: ['ls', 'cd'] }))
  const sparse = Object.assign(new Array<string>(3), { 0: 'ls', 2: 'cd' })
  for (const [given, place] of [
    [sparse, '1'],
    [['ls', 'cd', 7], '2'],
    [{ 0: 'ls', length: 1 }, undefined],
  ] as const) {
    const path = ['commandHistory', ...(place === undefined ? [] : [place])].join('.')
    expect(core.SnapshotUpdate.is({ commandHistory: given })).toBe(false)
    const refused = core.decode(core.SnapshotUpdate, 'update')({ commandHistory: given })
    expect(refused).toMatchObject({ left: { path } })
  }
})
