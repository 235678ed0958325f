/**
 * Replay as a check, law 1: the stored journal, decoded, leads through the step that wrote it to the
 * records that were committed; what is not comparable is never called different.
 */
import { decode, JournalEntry, type Policy, SessionRecord } from '@session-recovery/core'
import { replay } from '@session-recovery/engine'
import { anyPolicy, chance, holdsAsync } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { alive, answered, dead, done, failed, policyOf, started } from './scripted-world.js'

/** As it would come from a disk. */
const stored = (entry: JournalEntry): JournalEntry => {
  const read = decode(JournalEntry, 'entry')(JSON.parse(JSON.stringify(JournalEntry.encode(entry))))
  if (E.isLeft(read)) throw new Error(read.left.message)
  return read.right
}

/** A life with a recovery on the second attempt, a cancellation, a reset after exhaustion. */
const lived = async () => {
  let tries = 0
  const made = await started({
    policy: { maxRecoveryAttempts: 3, recoveryDelay: 1_500, jitter: 0.5, stableAfterMs: 10 },
    script: { run: () => (++tries === 3 ? { _tag: 'done', detail: 'at last' } : failed()) },
  })
  await answered(made, made.engine.recover('s', 'connection reset'), 10_000)
  await made.time.advance(60_000)
  const cancelled = made.engine.recover('s', 'timeout')
  await made.engine.cancel('s')
  await answered(made, cancelled)
  await made.time.advance(60_000)
  await answered(made, made.engine.recover('s'), 60_000)
  await made.engine.reset('s')
  const entries = (await made.engine.journal('s')).map(stored)
  return { entries, policy: made.engine.policy, record: made.medium.sessions.get('s')?.record }
}

describe('a journal as it is stored', () => {
  test('leads to the record that was committed', async () => {
    const { entries, policy, record } = await lived()
    const replayed = replay(entries, policy)
    expect(replayed).toMatchObject({ _tag: 'same', decisions: entries.length })
    if (replayed._tag !== 'same' || record === undefined) throw new Error('nothing to compare')
    const bytes = (of: SessionRecord) => JSON.stringify(SessionRecord.encode(of))
    expect(bytes(replayed.record)).toBe(bytes(record))
  })

  test('also over a second life under the same id', async () => {
    const made = await started()
    await answered(made, made.engine.recover('s'))
    await made.engine.register('s', { whenRegistered: 'replace' })
    await answered(made, made.engine.recover('s'))
    const entries = (await made.engine.journal('s')).map(stored)
    expect(replay(entries, made.engine.policy)).toMatchObject({
      _tag: 'same',
      decisions: 9,
      record: { control: { incarnation: 2 } },
    })
  })

  test('leads there under any policy, whatever happens to the session', async () => {
    const step = fc.record({
      name: fc.constantFrom('fail', 'fail', 'kill', 'cancel', 'reset', 'wait', 'replace'),
      amount: fc.integer({ min: 1, max: 400_000 }),
    })
    let tried = 0
    let decisions = 0
    await holdsAsync(
      fc.asyncProperty(
        fc.integer({ min: 1 }).map((seed) => anyPolicy(chance(seed))),
        fc.array(step, { minLength: 5, maxLength: 25 }),
        fc.integer({ min: 1 }),
        async (policy, steps, seed) => {
          const pick = chance(seed)
          const outcome = () => pick.pick([done, failed(), failed({ credentialRefused: true })])
          const verify = () => (pick.percent(60) ? alive : dead)
          const made = await started({ policy, script: { run: outcome, verify } })
          const { engine } = made
          for (const { name, amount } of steps) {
            if (name === 'fail') void engine.recover('s', pick.pick(['', 'timeout', 'auth', 'odd']))
            if (name === 'cancel') void engine.cancel('s')
            if (name === 'reset') void engine.reset('s')
            if (name === 'replace') void engine.register('s', { whenRegistered: 'replace' })
            if (name === 'wait') await made.time.advance(amount)
            const exit = { signal: 'SIGKILL' }
            if (name === 'kill') made.observe({ _tag: 'exited', sessionId: 's', exit })
            await made.time.advance(0)
          }
          const entries = (await engine.journal('s')).map(stored)
          const replayed = replay(entries, engine.policy)
          tried += 1
          decisions += entries.length
          const record = made.medium.sessions.get('s')?.record
          expect(replayed).toMatchObject({ _tag: 'same', record })
        },
      ),
      150,
    )
    expect(decisions).toBeGreaterThan(7 * tried)
  })
})

type Tampered = (entry: JournalEntry) => JournalEntry

const tampered = (entries: readonly JournalEntry[], at: number, change: Tampered) =>
  entries.map((entry, i) => (i === at ? change(entry) : entry))

describe('a journal that was tampered with', () => {
  test.each<[string, Tampered]>([
    ['the record it led to', (entry) => ({ ...entry, recordDigest: 'another' })],
    ['the revision', (entry) => ({ ...entry, rev: entry.rev + 1 })],
    ['its effects', (entry) => ({ ...entry, effects: entry.effects.slice(1) })],
    [
      'what an effect is',
      (entry) => ({ ...entry, effects: entry.effects.map(() => ({ _tag: 'release' })) }),
    ],
    [
      'the time of its event',
      (entry) => ({ ...entry, event: { ...entry.event, atMs: entry.event.atMs + 1 } }),
    ],
  ])('in %s is different, and the entry is named', async (_, change) => {
    const { entries, policy } = await lived()
    for (const at of [0, 1, 4]) {
      const replayed = replay(tampered(entries, at, change), policy)
      expect(replayed).toMatchObject({ _tag: 'different' })
      const { rev } = change(entries[at] as JournalEntry)
      expect(replayed).toMatchObject({ rev })
    }
  })
})

describe('a journal that cannot be compared', () => {
  const notComparable = (entries: readonly JournalEntry[], policy: Policy, because: RegExp) =>
    expect(replay(entries, policy)).toEqual({
      _tag: 'not-comparable',
      because: expect.stringMatching(because),
    })

  test('was written under another policy', async () => {
    const { entries, policy } = await lived()
    notComparable(entries, { ...policy, maxRecoveryAttempts: 4 }, /another policy/)
    notComparable(entries, policyOf(), /another policy/)
  })

  test('was decided by another version', async () => {
    const { entries, policy } = await lived()
    const later = tampered(entries, 3, (entry) => ({ ...entry, stepVersion: 99 }))
    notComparable(later, policy, /entry 4 was decided by step version 99/)
  })

  test('lacks its beginning, has a hole, is out of order, or is empty', async () => {
    const { entries, policy } = await lived()
    notComparable(entries.slice(1), policy, /before entry 2 is not in the journal/)
    notComparable([...entries.slice(0, 3), ...entries.slice(4)], policy, /before entry 5/)
    notComparable([...entries].reverse(), policy, /not in the journal/)
    notComparable([], policy, /empty/)
    const { follows: _, ...second } = entries[1] as JournalEntry
    notComparable([second], policy, /before entry 2 is not in the journal/)
  })
})
