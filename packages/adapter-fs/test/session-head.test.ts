/** Where the lines stand that follow the head of a session in a checkpoint. */
import { expect, test } from 'vitest'
import { heldBy } from '../src/session-head.js'
import { recordOf, snapshotOf } from './sample.js'

const segment = 's.jsonl'
const record = recordOf('a', 2)
const { incarnation, view } = snapshotOf('a', 3)

test('its journal stands first, line by line, and its body behind that', () => {
  const body = { bytes: 50, crc: 7, key: 'k' }
  const head = { sessionId: 'a', entries: [10, 20], record, snapshot: { incarnation, view, body } }
  expect(heldBy(head, segment, 100)).toEqual({
    ...{ record, forgotten: undefined },
    entries: [
      { segment, offset: 100, bytes: 10 },
      { segment, offset: 110, bytes: 20 },
    ],
    snapshot: {
      ...{ incarnation, view, bodyCrc: 7, key: 'k' },
      body: { segment, offset: 130, bytes: 50 },
    },
  })
})

test('of one that was forgotten there is that, and no body', () => {
  const head = { sessionId: 'a', entries: [], forgotten: 4 }
  expect(heldBy(head, segment, 100)).toEqual({
    ...{ record: undefined, snapshot: undefined, entries: [], forgotten: 4 },
  })
})
