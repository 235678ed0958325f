/** The ledger: places are given once, folded in order, and a checkpoint reaches as far as the store knows. */
import {
  defaultPolicy,
  type JournalEntry,
  type Json,
  type Loaded,
  register,
  stepVersion,
  type Traits,
} from '@session-recovery/core'
import { expect, test } from 'vitest'
import { ledgerFrom } from '../src/ledger.js'

const traits: Traits = {
  kind: 'local',
  attended: false,
  shell: true,
  rerunnable: false,
  failureExitCodes: [],
  idempotentCommands: [],
}
const event = { type: 'registered', atMs: 1_000, traits } as const

const entryOf = (sessionId: string, seq: number): JournalEntry => {
  const [record, effects] = register(sessionId, 1, event, defaultPolicy)
  return {
    v: 1,
    seq,
    sessionId,
    incarnation: 1,
    rev: 1,
    stepVersion,
    policyDigest: '',
    wallMs: 1_000,
    event,
    to: record.state,
    effects: [...effects],
    recordDigest: '',
  }
}

const loaded = (more: Partial<Loaded> = {}): Loaded => ({
  sessions: [],
  projection: undefined,
  entries: [],
  latestMs: 0,
  latestSeq: 0,
  quarantined: [],
  ...more,
})
const ledger = (more: Partial<Loaded> = {}) => ledgerFrom(loaded(more), defaultPolicy)
const through = (of: ReturnType<typeof ledger>) => of.checkpoint().throughSeq

test('places go on where the store ends, one after the other', () => {
  const from = ledger({ latestSeq: 7 })
  expect(through(from)).toBe(7)
  expect([from.take(), from.take()]).toEqual([8, 9])
})

test('a checkpoint reaches up to the first place that is open, and waits for none behind it', () => {
  const of = ledger()
  const [first, second, third] = [of.take(), of.take(), of.take()] as const
  of.settle(second, entryOf('b', second), true)
  expect(through(of)).toBe(0)
  of.settle(first, entryOf('a', first), true)
  expect(through(of)).toBe(second)
  of.settle(third, entryOf('c', third), true)
  expect(through(of)).toBe(third)
})

test('what the store refused is no place it knows, folded or not', () => {
  const of = ledger()
  of.settle(of.take(), entryOf('a', 1), true)
  of.settle(of.take(), undefined, false)
  expect(through(of)).toBe(1)
  of.settle(of.take(), entryOf('c', 3), false)
  expect(through(of)).toBe(1)
  of.settle(of.take(), entryOf('d', 4), true)
  expect(through(of)).toBe(4)
})

test('a place is settled once, and only if it was given', () => {
  const of = ledger()
  expect(() => of.settle(1, undefined, false)).toThrow('entry 1')
  const [first, second] = [of.take(), of.take()] as const
  of.settle(second, undefined, false)
  expect(() => of.settle(second, undefined, false)).toThrow('entry 2')
  expect(() => of.settle(3, undefined, false)).toThrow('entry 3')
  of.settle(first, undefined, false)
  expect(() => of.settle(first, undefined, false)).toThrow('entry 1')
})

test('projections are those of the entries, folded at once or by way of a checkpoint', () => {
  const entries = [entryOf('a', 1), entryOf('b', 2)]
  const whole = ledger({ entries, latestSeq: 2 })
  const live = ledger()
  for (const entry of entries) live.settle(live.take(), entry, true)
  expect(live.checkpoint()).toEqual(whole.checkpoint())
  const projection = JSON.parse(JSON.stringify(whole.checkpoint().projection)) as Json
  expect(ledger({ projection, latestSeq: 2 }).checkpoint()).toEqual(whole.checkpoint())
  expect(ledger({ projection: 'damaged', entries, latestSeq: 2 }).checkpoint()).toEqual(
    whole.checkpoint(),
  )
})
