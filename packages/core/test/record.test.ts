/** What wakes a record. */
import { SessionRecord, sessionStateNames, wakeAtMs, wakeEvent } from '@session-recovery/core'
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
