/** What a store owes of snapshots, and of sessions that are forgotten. */
import type { Json } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { sampleCommit, sampleRecord, sampleSnapshot } from '../store-sample.js'
import type { PlannedCase } from './store-case.js'
import { type StoreScene, same, sure } from './store-scene.js'

// ------------------------------------------------------------------------------------------ cases

const latestWins = async (scene: StoreScene) => {
  const opened = await scene.open()
  const { store } = opened
  await scene.done('commit', store.commit(sampleCommit('a', 1)))
  await scene.refused('a snapshot that is not there', store.readSnapshot('a'), 'NotFound')
  await Promise.all(
    [3, 1, 5, 2, 4].map((generation) =>
      scene.done('saveSnapshot', store.saveSnapshot(sampleSnapshot('a', generation))),
    ),
  )
  await scene.done('an older one', store.saveSnapshot(sampleSnapshot('a', 4)))
  same('now', await scene.done('readSnapshot', store.readSnapshot('a')), sampleSnapshot('a', 5))
  const { loaded, store: again } = await scene.reopen(opened)
  same('the view', loaded.sessions[0]?.view, sampleSnapshot('a', 5).view)
  same('later', await scene.done('readSnapshot', again.readSnapshot('a')), sampleSnapshot('a', 5))
}

const readsTheNewest = async (scene: StoreScene) => {
  const { store } = await scene.open()
  await scene.done('commit', store.commit(sampleCommit('a', 1)))
  for (let generation = 1; generation <= 5; generation++) {
    const snapshot = sampleSnapshot('a', generation)
    await scene.done('saveSnapshot', store.saveSnapshot(snapshot))
    same('what was just kept', await scene.done('read', store.readSnapshot('a')), snapshot)
  }
}

const leavesTheFormerBehind = async (scene: StoreScene) => {
  const opened = await scene.open()
  const { store } = opened
  await scene.done('commit', store.commit(sampleCommit('a', 1, 1, 1)))
  await scene.done('saveSnapshot', store.saveSnapshot(sampleSnapshot('a', 9, 1)))
  await scene.done('the next incarnation', store.commit(sampleCommit('a', 1, 2, 2)))
  await scene.refused("the former's snapshot", store.readSnapshot('a'), 'NotFound')
  const late = store.saveSnapshot(sampleSnapshot('a', 10, 1))
  await scene.refused("a late one of the former's", late, 'NotFound')
  const early = store.saveSnapshot(sampleSnapshot('a', 1, 3))
  await scene.refused('one of a life that has not begun', early, 'NotFound')
  await scene.refused("the former's late snapshot", store.readSnapshot('a'), 'NotFound')
  const { loaded, store: again } = await scene.reopen(opened)
  same('the view', loaded.sessions[0]?.view, undefined)
  await scene.refused('after reopening', again.readSnapshot('a'), 'NotFound')
  await scene.done('its own', again.saveSnapshot(sampleSnapshot('a', 1, 2)))
  same('its own', await scene.done('read', again.readSnapshot('a')), sampleSnapshot('a', 1, 2))
}

const isOfNobodyElse = async (scene: StoreScene) => {
  const opened = await scene.open()
  const ids = ['a', 'b', 'c']
  for (const [i, id] of ids.entries()) {
    await scene.done('commit', opened.store.commit(sampleCommit(id, 1, 1, i + 1)))
    await scene.done('saveSnapshot', opened.store.saveSnapshot(sampleSnapshot(id, 1)))
  }
  const stranger = opened.store.saveSnapshot(sampleSnapshot('nobody', 1))
  await scene.refused('of nobody', stranger, 'NotFound')
  const { loaded, store } = await scene.reopen(opened)
  same('the sessions', loaded.sessions.map(({ record }) => record.control.sessionId).sort(), ids)
  for (const id of ids) {
    same(id, await scene.done('read', store.readSnapshot(id)), sampleSnapshot(id, 1))
  }
}

const forgets = async (scene: StoreScene) => {
  const opened = await scene.open()
  const { store } = opened
  await scene.done('commit', store.commit(sampleCommit('a', 1, 1, 1)))
  await scene.done('commit', store.commit(sampleCommit('b', 1, 1, 2)))
  await scene.done('saveSnapshot', store.saveSnapshot(sampleSnapshot('a', 1)))
  await scene.done('forget', store.forget('a', 1))
  await scene.done('forget, again', store.forget('a', 1))
  await scene.done('forget nobody', store.forget('nobody', 1))
  await scene.refused('a late snapshot', store.saveSnapshot(sampleSnapshot('a', 2)), 'NotFound')
  await scene.refused('the snapshot', store.readSnapshot('a'), 'NotFound')
  const again = await scene.reopen(opened)
  same(
    'what is left',
    again.loaded.sessions.map(({ record }) => record),
    [sampleRecord('b', 1)],
  )
  same('the latest place', again.loaded.latestSeq, 2)
  await scene.refused('the snapshot, later', again.store.readSnapshot('a'), 'NotFound')
  const journal = await scene.done('readJournal', again.store.readJournal('a'))
  same('the journal stays', journal.length, 1)
  const follower = again.store.commit(sampleCommit('a', 2, 1, 9))
  await scene.refused('what follows the forgotten', follower, 'RevisionConflict')
  await scene.done('the id, used again', again.store.commit(sampleCommit('a', 1, 2, 3)))
}

const forgetsNoLaterOne = async (scene: StoreScene) => {
  const opened = await scene.open()
  const { store } = opened
  await scene.done('commit', store.commit(sampleCommit('a', 1, 1, 1)))
  await scene.done('the next', store.commit(sampleCommit('a', 1, 2, 2)))
  await scene.done('saveSnapshot', store.saveSnapshot(sampleSnapshot('a', 1, 2)))
  await scene.done('forget the former', store.forget('a', 1))
  const again = await scene.reopen(opened)
  same('the record', again.loaded.sessions[0]?.record, sampleRecord('a', 1, 2))
  const kept = await scene.done('readSnapshot', again.store.readSnapshot('a'))
  same('the snapshot', kept, sampleSnapshot('a', 1, 2))
}

const refusesTheLarge = async (scene: StoreScene) => {
  const opened = await scene.open()
  const { store } = opened
  const { limitBytes = 0 } = store
  await scene.done('commit', store.commit(sampleCommit('a', 1)))
  await scene.done('a small one', store.saveSnapshot(sampleSnapshot('a', 1)))
  const large = sampleSnapshot('a', 2, 1, 'x'.repeat(limitBytes + 1))
  const error = await scene.refused('a large snapshot', store.saveSnapshot(large), 'TooLarge')
  if (error._tag === 'TooLarge') {
    same('the limit it names', error.limitBytes, limitBytes)
    sure('the size it names is beyond the limit', error.bytes > limitBytes)
  }
  const commit = sampleCommit('a', 2, 1, 2)
  const entry = { ...commit.entry, policyDigest: 'x'.repeat(limitBytes + 1) }
  await scene.refused('a large commit', store.commit({ ...commit, entry }), 'TooLarge')
  await scene.refused(
    'a large projection',
    store.checkpoint('x'.repeat(limitBytes + 1), 1),
    'TooLarge',
  )
  await scene.done('what comes after it', store.commit(commit))
  const near = sampleSnapshot('a', 3, 1, 'x'.repeat(Math.floor(limitBytes / 2)))
  await scene.done('one within the limit', store.saveSnapshot(near))
  const again = await scene.reopen(opened)
  same('nothing is set aside', again.loaded.quarantined, [])
  same('the record', again.loaded.sessions[0]?.record, commit.record)
  same('the snapshot', await scene.done('read', again.store.readSnapshot('a')), near)
}

const nested = (depth: number): Json => {
  let inner: Json = 'end'
  for (let i = 0; i < depth; i++) inner = i % 2 === 0 ? [inner] : { inner }
  return inner
}

const deepJson = async (scene: StoreScene) => {
  const opened = await scene.open()
  await scene.done('commit', opened.store.commit(sampleCommit('a', 1)))
  await scene.done('commit', opened.store.commit(sampleCommit('b', 1, 1, 2)))
  const modest = { ...sampleSnapshot('b', 1), body: { deep: nested(64) } }
  await scene.done('64 deep', opened.store.saveSnapshot(modest))
  const abyss = { ...sampleSnapshot('a', 1), body: { deep: nested(1_000) } }
  const kept = await scene.asked('1,000 deep', opened.store.saveSnapshot(abyss))
  const again = await scene.reopen(opened)
  same('the sessions', again.loaded.sessions.length, 2)
  same('64 deep', await scene.done('read', again.store.readSnapshot('b')), modest)
  if (E.isRight(kept)) await scene.done('1,000 deep', again.store.readSnapshot('a'))
}

export const snapshotCases: readonly PlannedCase[] = [
  { name: 'of snapshots the highest generation counts, whatever their order', play: latestWins },
  { name: 'what is read is what was kept last', play: readsTheNewest },
  { name: 'a former incarnation leaves no snapshot', play: leavesTheFormerBehind },
  { name: "a session's snapshot is its own", play: isOfNobodyElse },
  { name: 'what is forgotten is gone but for its journal', play: forgets },
  { name: 'forgetting a former incarnation leaves the later alone', play: forgetsNoLaterOne },
  {
    name: 'what is too large is refused with its size, and nothing of it is kept',
    needs: ['limit'],
    play: refusesTheLarge,
  },
  { name: 'what nests without end is kept whole or refused', play: deepJson },
]
