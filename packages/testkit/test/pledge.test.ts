/** What a store promised is held against what it is found to hold, also of sessions that are read later. */
import type { LoadedSession, RestingSessions } from '@session-recovery/core'
import { expect, test } from 'vitest'
import { Pledge } from '../src/pledge.js'
import { sampleCommit, sampleRecord, sampleSnapshot } from '../src/store-sample.js'

const pledged = () => {
  const breaches: string[] = []
  const believed: number[] = []
  const pledge = new Pledge({
    durable: () => undefined,
    found: ({ rev }) => void believed.push(rev),
    check: (holds, breach) => void (holds || breaches.push(breach())),
  })
  for (const rev of [1, 2]) {
    pledge.tries(sampleCommit('s', rev))
    pledge.committed(sampleCommit('s', rev))
  }
  pledge.saved(sampleSnapshot('s', 3))
  return { pledge, breaches, believed }
}

const resting = (...ids: readonly string[]): RestingSessions => ({ ids, read: () => undefined })
const held = (rev: number, generation: number): LoadedSession => ({
  record: sampleRecord('s', rev),
  view: sampleSnapshot('s', generation).view,
})

test('a session that is found at rest is there, and is looked into when it is read', () => {
  const { pledge, breaches, believed } = pledged()
  pledge.found({ sessions: [], resting: resting('s') })
  expect(believed).toEqual([])
  pledge.woken('s', held(2, 3))
  expect(believed).toEqual([2])
  expect(breaches).toEqual([])
})

test('what was tried and not acknowledged may be found at rest, and nowhere twice', () => {
  const { pledge, breaches } = pledged()
  pledge.tries(sampleCommit('s', 3))
  pledge.found({ sessions: [], resting: resting('s') })
  pledge.woken('s', held(3, 3))
  expect(breaches).toEqual([])
  // It is promised now.
  pledge.found({ sessions: [held(2, 3)] })
  expect(breaches).toEqual(['s: revision 3 of incarnation 1 was acknowledged, 2 of 1 found'])
})

test.each([
  ['nowhere', resting('t'), undefined, 's, acknowledged at revision 2, is gone'],
  ['unreadable', resting('s'), undefined, 's was found at rest, and is gone'],
  [
    'at an older revision',
    resting('s'),
    held(1, 3),
    's: revision 2 of incarnation 1 was acknowledged, 1 of 1 found',
  ],
  ['with an older snapshot', resting('s'), held(2, 2), 's: snapshot 3 was acknowledged, 2 found'],
])('a session that is %s at rest is a breach', (_, rests, read, breach) => {
  const { pledge, breaches } = pledged()
  pledge.found({ sessions: [], resting: rests })
  if (rests.ids.includes('s')) pledge.woken('s', read)
  expect(breaches).toEqual([breach])
})
