/** The step by itself: what decides nothing leaves the very same record, and what does is one revision further. */
import { defaultPolicy, type SessionEvent } from '@session-recovery/core'
import { stepUnder } from '@session-recovery/engine'
import { sampleRecord } from '@session-recovery/testkit'
import { expect, test } from 'vitest'

const step = stepUnder(defaultPolicy)
const atMs = 2_000
const capturing = sampleRecord('s', 4, 1, 'snapshotting.capturing')

test.each<readonly [string, SessionEvent]>([
  ['an event that is not for the state', { type: 'reset', atMs }],
  ['an answer that nobody awaits', { type: 'captured', atMs, token: 'stale' }],
])('%s leaves the very same record, and asks for nothing', (_, event) => {
  const [record, effects] = step(capturing, event)
  expect(record).toBe(capturing)
  expect(effects).toEqual([])
})

test('what is journalled is one revision further, also where the state stays; a capture is not', () => {
  const [ended] = step(capturing, { type: 'unregistered', atMs })
  expect(ended).toMatchObject({ rev: 5, state: 'unregistered' })
  const [due] = step(sampleRecord('s', 4), { type: 'captureDue', atMs })
  expect(due).toMatchObject({ rev: 4, state: 'snapshotting.capturing' })
  const known = { reason: '', interactivity: 'none', permanent: false } as const
  const failure = { ...known, kind: 'network' as const, evidence: [] }
  const view = { generation: 1, capturedAtMs: 0 }
  const [failed] = step(capturing, { type: 'failed', atMs, failure, view })
  const verifying = { ...failed, state: 'recovering.verifying' } as const
  const [doubted, effects] = step(verifying, { type: 'resumed', atMs, lastSeenMs: atMs })
  expect(doubted).toMatchObject({ rev: 6, state: 'recovering.verifying' })
  expect(effects).not.toEqual([])
})
