/** A session that is registered without an engine: what a store then holds is what an engine would have committed. */
import { digest, JournalEntry, SessionRecord, type Traits } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { registrationOf } from '../src/registration.js'

const traits: Traits = {
  ...{ kind: 'ssh' as const, attended: false, shell: true, rerunnable: false },
  ...{ failureExitCodes: [1], idempotentCommands: [] },
}

test.each(['import', 'restore'] as const)('by %s', (by) => {
  const { record, entry } = registrationOf({
    ...{ sessionId: 's', incarnation: 3, atMs: 5, wallMs: 7, seq: 9, by },
    traits,
  })
  expect(record).toEqual({
    ...{ v: 1, rev: 1, state: 'registered' },
    control: {
      ...{ sessionId: 's', incarnation: 3, registeredAtMs: 5, traits, used: 0, incidents: 0 },
    },
  })
  expect(entry).toEqual({
    ...{ v: 1, seq: 9, sessionId: 's', incarnation: 3, rev: 1, policyDigest: by, wallMs: 7 },
    ...{ stepVersion: expect.any(Number), to: 'registered', recordDigest: digest(record) },
    event: { type: 'registered', atMs: 5, traits },
    effects: [{ _tag: 'tell', fact: { _tag: 'session-registered', incarnation: 3, kind: 'ssh' } }],
  })
  expect(E.isRight(SessionRecord.decode(record))).toBe(true)
  expect(E.isRight(JournalEntry.decode(JournalEntry.encode(entry)))).toBe(true)
})
