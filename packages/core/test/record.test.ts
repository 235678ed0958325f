/** What wakes a record, and what its digest is of. */
import {
  digest,
  orderedJson,
  recordDigest,
  recordJson,
  SessionRecord,
  sessionStateNames,
  wakeAtMs,
  wakeEvent,
} from '@session-recovery/core'
import { arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'

test('a record is woken for its incident while it recovers, else for its captures', () => {
  holds(
    fc.property(arbitraryOf(SessionRecord), fc.nat(), (record, atMs) => {
      const recovering = record.state.startsWith('recovering.')
      const { incident, captureAtMs } = record.control
      expect(wakeAtMs(record)).toBe(recovering ? incident?.dueAtMs : captureAtMs)
      expect(wakeEvent(record, atMs)).toEqual({ type: recovering ? 'due' : 'captureDue', atMs })
    }),
  )
  expect(SessionRecord.required.state.members).toEqual(sessionStateNames)
})

test('its digest is that of all of it, in whatever order its fields stand', () => {
  holds(
    fc.property(arbitraryOf(SessionRecord), arbitraryOf(SessionRecord), (record, other) => {
      expect(recordDigest(record)).toBe(digest(record))
      expect(recordJson(record)).toBe(orderedJson(record))
      const { control, ...rest } = record
      expect(recordDigest({ control: { ...control }, ...rest })).toBe(digest(record))
      expect(recordDigest(other)).toBe(digest(other))
      expect(recordDigest(record)).toBe(digest(record))
    }),
  )
})

test('one that cannot be stored has no JSON, and a digest all the same', () => {
  const [record] = fc.sample(arbitraryOf(SessionRecord), { numRuns: 1, seed: 1 })
  const broken = { ...record, rev: -1 } as SessionRecord
  expect(recordJson(broken)).toBeUndefined()
  expect(recordDigest(broken)).toBe(digest(broken))
})
