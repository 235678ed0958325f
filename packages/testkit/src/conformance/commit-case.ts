/** What a store owes of records and their journal. */
import type { Commit, JournalEntry } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { sampleCommit, sampleEntry, sampleRecord, sampleSnapshot } from '../store-sample.js'
import type { PlannedCase } from './store-case.js'
import { type OpenedStore, type StoreScene, same, sure } from './store-scene.js'

// ------------------------------------------------------------------------------------------ cases

const emptyPlace = async ({ open }: StoreScene) => {
  const { loaded } = await open()
  same('an empty place', loaded, {
    sessions: [],
    projection: undefined,
    entries: [],
    quarantined: [],
    latestMs: 0,
    latestSeq: 0,
  })
}

const keepsRecords = async (scene: StoreScene) => {
  const opened = await scene.open()
  let seq = 0
  for (const [id, revs] of [
    ['a', 3],
    ['b', 1],
  ] as const) {
    for (let rev = 1; rev <= revs; rev++) {
      seq += 1
      await scene.done('commit', opened.store.commit(sampleCommit(id, rev, 1, seq)))
    }
  }
  const { loaded } = await scene.reopen(opened)
  same(
    'the records',
    new Map(loaded.sessions.map(({ record }) => [record.control.sessionId, record])),
    new Map([
      ['a', sampleRecord('a', 3)],
      ['b', sampleRecord('b', 1)],
    ]),
  )
  same('the latest place', loaded.latestSeq, 4)
  same('the latest time', loaded.latestMs, 1_003)
}

const refusesOtherRevisions = async (scene: StoreScene) => {
  const opened = await scene.open()
  const { store } = opened
  await scene.done('commit', store.commit(sampleCommit('a', 1, 1, 1)))
  for (const [id, rev, actualRev] of [
    ['a', 1, 1],
    ['a', 3, 1],
    ['b', 2, 0],
  ] as const) {
    const call = store.commit(sampleCommit(id, rev, 1, 9))
    const error = await scene.refused(`revision ${rev} of ${id}`, call, 'RevisionConflict')
    same('the conflict', [E.right(error)].map(conflictOf), [[id, rev - 1, actualRev]])
  }
  const { loaded } = await scene.reopen(opened)
  same('the entries', loaded.entries.map(placeOf), [['a', 1, 1]])
  same(
    'the sessions',
    loaded.sessions.map(({ record }) => record),
    [sampleRecord('a', 1)],
  )
}

const conflictOf = (error: E.Either<never, object>) =>
  E.isRight(error) && 'expectedRev' in error.right && 'actualRev' in error.right
    ? [
        'sessionId' in error.right && error.right.sessionId,
        error.right.expectedRev,
        error.right.actualRev,
      ]
    : []

const takesOneRival = async (scene: StoreScene) => {
  const opened = await scene.open()
  const rivals: readonly Commit[] = Array.from({ length: 8 }, (_, i) => ({
    ...sampleCommit('a', 1, 1, i + 1),
    record: { ...sampleRecord('a', 1), state: i % 2 === 0 ? 'exhausted' : 'registered' },
  }))
  const answers = await Promise.all(
    rivals.map((rival) => scene.asked('a rival', opened.store.commit(rival))),
  )
  const taken = answers.flatMap((answer, i) => (E.isRight(answer) ? [i] : []))
  same('how many of eight rivals were taken', taken.length, 1)
  const { loaded } = await scene.reopen(opened)
  const winner = rivals[taken[0] ?? 0]
  same('the entries', loaded.entries, [winner?.entry])
  same('the record', loaded.sessions[0]?.record, winner?.record)
}

const takesManySessions = async (scene: StoreScene) => {
  const opened = await scene.open()
  const ids = Array.from({ length: 64 }, (_, i) => `s${i}`)
  await Promise.all(
    ids.map((id, i) => scene.done('commit', opened.store.commit(sampleCommit(id, 1, 1, i + 1)))),
  )
  const { loaded } = await scene.reopen(opened)
  same('the sessions', loaded.sessions.map(({ record }) => record.control.sessionId).sort(), [
    ...ids.sort(),
  ])
}

const newIncarnation = async (scene: StoreScene) => {
  const opened = await scene.open()
  const { store } = opened
  await scene.done('commit', store.commit(sampleCommit('a', 1, 1, 1)))
  await scene.done('commit', store.commit(sampleCommit('a', 2, 1, 2)))
  const follower = { ...sampleCommit('a', 3, 2, 9), expectedRev: 2 }
  await scene.refused(
    'a new incarnation that follows the old',
    store.commit(follower),
    'RevisionConflict',
  )
  await scene.done('the next incarnation', store.commit(sampleCommit('a', 1, 2, 3)))
  const late = store.commit(sampleCommit('a', 3, 1, 9))
  await scene.refused('a former incarnation', late, 'RevisionConflict')
  const { loaded, store: again } = await scene.reopen(opened)
  same('the record', loaded.sessions[0]?.record, sampleRecord('a', 1, 2))
  const journal = await scene.done('readJournal', again.readJournal('a'))
  same('the journal', journal.map(placeOf), [
    ['a', 1, 1],
    ['a', 2, 2],
    ['a', 1, 3],
  ])
}

const journalInOrder = async (scene: StoreScene) => {
  const opened = await scene.open()
  let seq = 0
  for (let rev = 1; rev <= 12; rev++) {
    for (const id of ['a', 'b']) {
      seq += 1
      await scene.done('commit', opened.store.commit(sampleCommit(id, rev, 1, seq)))
    }
  }
  const expected = Array.from({ length: 12 }, (_, i) =>
    sampleEntry(sampleRecord('a', i + 1), 2 * i + 1),
  )
  const look = async ({ store }: OpenedStore) => {
    same('the journal', await scene.done('readJournal', store.readJournal('a')), expected)
    same('of nobody', await scene.done('readJournal', store.readJournal('nobody')), [])
  }
  await look(opened)
  await look(await scene.reopen(opened))
}

const entriesInOrder = async (scene: StoreScene) => {
  const opened = await scene.open()
  const ids = ['a', 'b', 'c', 'd', 'e']
  let seq = 0
  for (let rev = 1; rev <= 4; rev++) {
    // Sent at once, so that they become durable in whatever order the store likes.
    await Promise.all(
      ids.map((id) => {
        seq += 1
        return scene.done('commit', opened.store.commit(sampleCommit(id, rev, 1, seq)))
      }),
    )
  }
  const { loaded } = await scene.reopen(opened)
  same(
    'the places of the entries',
    loaded.entries.map((entry) => entry.seq),
    Array.from({ length: 20 }, (_, i) => i + 1),
  )
}

const hostile: readonly string[] = [
  '../../x',
  '..',
  '.',
  '/etc/passwd',
  'C:\\x',
  'a\0b',
  'x'.repeat(10_000),
  '__proto__',
  'constructor',
  'toString',
  'new\nline',
  '\ud800',
  ' ',
  '"}',
  '%2e%2e%2f',
  'CON',
  'é',
  'e\u0301',
  'A',
  'a',
  '😀',
]

const hostileIds = async (scene: StoreScene) => {
  const opened = await scene.open()
  for (const [i, id] of hostile.entries()) {
    await scene.done('commit', opened.store.commit(sampleCommit(id, 1, 1, i + 1)))
    await scene.done('saveSnapshot', opened.store.saveSnapshot(sampleSnapshot(id, i + 1)))
  }
  await scene.done('checkpoint', opened.store.checkpoint(null, hostile.length))
  const { store, loaded } = await scene.reopen(opened)
  same('how many sessions', loaded.sessions.length, hostile.length)
  for (const [i, id] of hostile.entries()) {
    const found = loaded.sessions.find(({ record }) => record.control.sessionId === id)
    const shownId = JSON.stringify(id.slice(0, 20))
    same(`the record of ${shownId}`, found?.record, sampleRecord(id, 1))
    const snapshot = await scene.done('readSnapshot', store.readSnapshot(id))
    same(`the snapshot of ${shownId}`, snapshot, sampleSnapshot(id, i + 1))
    await scene.done('forget', store.forget(id, 1))
  }
  same('what is left', (await scene.reopen({ store, loaded })).loaded.sessions, [])
}

const nothingAfterClose = async (scene: StoreScene) => {
  const opened = await scene.open()
  await opened.store.close()
  const late = await scene.asked('a late commit', opened.store.commit(sampleCommit('a', 1)))
  const { loaded } = await scene.open()
  if (E.isRight(late)) same('acknowledged after closing', loaded.sessions.length, 1)
}

const closingAnswers = async (scene: StoreScene) => {
  const opened = await scene.open()
  const ids = Array.from({ length: 32 }, (_, i) => `s${i}`)
  const answers = ids.map((id, i) =>
    scene.asked('commit', opened.store.commit(sampleCommit(id, 1, 1, i + 1))),
  )
  const again = await scene.reopen(opened)
  const kept = new Set(again.loaded.sessions.map(({ record }) => record.control.sessionId))
  for (const [i, answer] of (await Promise.all(answers)).entries()) {
    sure(`acknowledged while closing: ${ids[i]}`, E.isLeft(answer) || kept.has(ids[i] ?? ''))
  }
}

const opensAgain = async (scene: StoreScene) => {
  const { store } = await scene.open()
  await scene.done('commit', store.commit(sampleCommit('a', 1)))
  await store.close()
  await store.close()
  const loaded = await scene.done('open again', store.open)
  same('the sessions', loaded.sessions.length, 1)
  await scene.done('commit', store.commit(sampleCommit('a', 2)))
}

const placeOf = ({ sessionId, rev, seq }: JournalEntry) => [sessionId, rev, seq]

export const commitCases: readonly PlannedCase[] = [
  { name: 'an empty place holds nothing', play: emptyPlace },
  { name: 'records are there when the place is opened again', play: keepsRecords },
  { name: 'a commit that names another revision is refused', play: refusesOtherRevisions },
  { name: 'of rivals for one revision exactly one is taken', play: takesOneRival },
  { name: 'commits of many sessions at once are all taken', play: takesManySessions },
  { name: 'a new incarnation starts at revision 0 and ends the former', play: newIncarnation },
  { name: "a session's journal is its own, oldest first", play: journalInOrder },
  { name: 'entries are handed out in the order of their places', play: entriesInOrder },
  { name: 'a session id is data, whatever it is', play: hostileIds },
  { name: 'nothing is acknowledged after closing and then lost', play: nothingAfterClose },
  { name: 'what is acknowledged while it closes is kept', play: closingAnswers },
  { name: 'a store that was closed opens again', play: opensAgain },
]
