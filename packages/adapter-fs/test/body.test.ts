/** The line of a snapshot's body: in clear or sealed, bound to its place, and whether it can be read at all. */
import { sampleSnapshot } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { bodyIn, bodyLineOf, resealed, sealedIn, snapshotPlace, unlocked } from '../src/body.js'
import { bytesOf, lineOf, lineText, readLine } from '../src/line.js'
import { type Sealer, sealerOf } from '../src/seal.js'
import type { HeldSnapshot } from '../src/session-index.js'

const keys = { k1: Buffer.alloc(32, 1), k2: Buffer.alloc(32, 2) }
const clear = sealerOf(undefined)
const first = sealerOf({ current: 'k1', keys })
const second = sealerOf({ current: 'k2', keys })
const without = sealerOf({ current: 'k2', keys: { k2: keys.k2 } })
const strict = first
const lenient = sealerOf({ current: 'k1', keys, acceptUnsealed: true })
const place = snapshotPlace('s', 1, 2)
const body = { said: 'hällo' }

const read = (sealer: Sealer, line: Buffer, at = place) => {
  const found = readLine(line)
  if (E.isLeft(found)) throw new Error(found.left)
  return bodyIn(sealer, found.right, at, 'it')
}

test('a body is bound to whose and which it is', () => {
  expect(place).toEqual(['snapshot', 's', 1, 2])
  const line = bytesOf(bodyLineOf(first, body, place).line)
  expect(read(first, line)).toEqual(E.right(body))
  for (const other of [
    snapshotPlace('t', 1, 2),
    snapshotPlace('s', 2, 2),
    snapshotPlace('s', 1, 3),
  ])
    expect(read(first, line, other)).toMatchObject({ left: { _tag: 'SealBroken', what: 'it' } })
})

test('it is in clear without a key, and says with which it is sealed, and how long it is in clear', () => {
  const open = bodyLineOf(clear, body, place)
  const line = lineText('body', JSON.stringify(body))
  expect(open).toEqual({ line, key: undefined, clearBytes: line.length })
  expect(read(clear, bytesOf(open.line))).toEqual(E.right(body))
  const sealed = bodyLineOf(second, body, place)
  expect(sealed).toMatchObject({ key: 'k2', clearBytes: Buffer.byteLength(JSON.stringify(body)) })
  expect(bytesOf(sealed.line).toString()).toContain('"sealed":')
  expect(bytesOf(sealed.line).toString()).not.toContain('said')
})

test('what is in clear is read only where it may be, and what is no JSON never', () => {
  const line = bytesOf(bodyLineOf(clear, body, place).line)
  expect(read(strict, line)).toMatchObject({ left: { _tag: 'SealBroken' } })
  expect(read(lenient, line)).toEqual(E.right(body))
  expect(read(without, bytesOf(bodyLineOf(first, body, place).line))).toMatchObject({
    left: { _tag: 'KeyMissing', keyId: 'k1' },
  })
  const deep = JSON.parse(`${'['.repeat(2_000)}${']'.repeat(2_000)}`)
  expect(read(clear, lineOf('body', deep))).toMatchObject({
    left: { _tag: 'damaged', problem: expect.stringContaining('nested deeper') },
  })
})

test('it is sealed anew under the current key where it can be opened', () => {
  const former = bytesOf(bodyLineOf(first, body, place).line)
  const open = bytesOf(bodyLineOf(clear, body, place).line)
  const anew = resealed(second, former, place)
  expect(anew?.key).toBe('k2')
  expect(anew === undefined ? undefined : read(without, bytesOf(anew.line))).toEqual(E.right(body))
  expect(resealed(without, former, place)).toBeUndefined()
  expect(resealed(second, former, snapshotPlace('t', 1, 2))).toBeUndefined()
  expect(resealed(clear, open, place)).toBeUndefined()
  expect(resealed(second, Buffer.from('no line'), place)).toBeUndefined()
  const taken = resealed(lenient, open, place)
  expect(taken?.key).toBe('k1')
})

const holding = (...held: readonly (string | null | undefined)[]) => {
  const extent = { segment: 'f', offset: 0, bytes: 1 }
  const snapshotOf = (key: string | undefined): HeldSnapshot => ({
    ...{ incarnation: 1, view: sampleSnapshot('s', 1, 1).view, body: extent, bodyCrc: 0, key },
  })
  const all = held.map(
    (key, i) =>
      [
        `s${i}`,
        {
          ...{ record: undefined, entries: [], forgotten: undefined },
          snapshot: key === null ? undefined : snapshotOf(key),
        },
      ] as const,
  )
  return sealedIn({ asked: () => new Map(all).entries() })
}

test('a store is unlocked where each body can be read, or its key is said to be lost', () => {
  const lost = sealerOf({ current: 'k2', keys: { k2: keys.k2 }, lostKeys: ['k1'] })
  const free = E.right(undefined)
  expect(unlocked(holding(), strict)).toEqual(free)
  expect(unlocked(holding(null, 'k1', 'k2'), strict)).toEqual(free)
  expect(unlocked(holding('k2', 'k1'), without)).toMatchObject({
    left: {
      _tag: 'KeyMissing',
      keyId: 'k1',
      message: expect.stringContaining('snapshot of session s1'),
    },
  })
  expect(unlocked(holding('k1', 'k2'), lost)).toEqual(free)
  expect(unlocked(holding('k9'), lost)).toMatchObject({ left: { keyId: 'k9' } })
  expect(unlocked(holding('k1', undefined), strict)).toMatchObject({
    left: {
      _tag: 'SealBroken',
      what: 'snapshot of session s1',
      message: expect.stringMatching(/it is not sealed; acceptUnsealed takes it over$/),
    },
  })
  expect(unlocked(holding(undefined, 'k1'), lenient)).toEqual(free)
  expect(unlocked(holding(undefined), clear)).toEqual(free)
})
