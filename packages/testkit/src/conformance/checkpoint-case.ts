/** What a store owes of checkpoints. */
import { sampleCommit, sampleRecord, sampleSnapshot } from '../store-sample.js'
import type { PlannedCase } from './store-case.js'
import { type OpenedStore, type StoreScene, same } from './store-scene.js'

// ------------------------------------------------------------------------------------------ cases

const fill = async (scene: StoreScene): Promise<OpenedStore> => {
  const opened = await scene.open()
  let seq = 0
  for (const id of ['a', 'b']) {
    for (let rev = 1; rev <= 3; rev++) {
      seq += 1
      await scene.done('commit', opened.store.commit(sampleCommit(id, rev, 1, seq)))
    }
    await scene.done('saveSnapshot', opened.store.saveSnapshot(sampleSnapshot(id, 7)))
  }
  return opened
}

const projection = { folded: [1, { two: null }], text: '日本' }

const handsOutTheRest = async (scene: StoreScene) => {
  const opened = await fill(scene)
  await scene.done('checkpoint', opened.store.checkpoint(projection, 4))
  const { loaded, store } = await scene.reopen(opened)
  same('the projection', loaded.projection, projection)
  same(
    'the places that are not folded',
    loaded.entries.map(({ seq }) => seq),
    [5, 6],
  )
  same('the latest place', loaded.latestSeq, 6)
  same('the latest time', loaded.latestMs, 1_003)
  await scene.done('a later one', store.checkpoint('later', 6))
  const last = await scene.reopen({ loaded, store })
  same('the projection', last.loaded.projection, 'later')
  same('what is not folded', last.loaded.entries, [])
  same('the latest place', last.loaded.latestSeq, 6)
  same('the latest time', last.loaded.latestMs, 1_003)
}

const keepsWhatIsLive = async (scene: StoreScene) => {
  const opened = await fill(scene)
  await scene.done('checkpoint', opened.store.checkpoint(null, 6))
  const look = async ({ store }: OpenedStore) => {
    for (const id of ['a', 'b']) {
      const journal = await scene.done('readJournal', store.readJournal(id))
      same(
        'the journal',
        journal.map(({ rev }) => rev),
        [1, 2, 3],
      )
      const kept = await scene.done('readSnapshot', store.readSnapshot(id))
      same('the snapshot', kept, sampleSnapshot(id, 7))
    }
  }
  await look(opened)
  const again = await scene.reopen(opened)
  await look(again)
  const records = again.loaded.sessions.map(({ record }) => record)
  same('the records', records, [sampleRecord('a', 3), sampleRecord('b', 3)])
}

const goesOnMeanwhile = async (scene: StoreScene) => {
  const opened = await fill(scene)
  const { store } = opened
  let last = 3
  const commits = async () => {
    for (let rev = 4; rev <= 20; rev++) {
      await scene.done('commit', store.commit(sampleCommit('a', rev, 1, rev + 3)))
      await scene.done('saveSnapshot', store.saveSnapshot(sampleSnapshot('a', rev + 10)))
      last = rev
    }
  }
  const checkpoints = async () => {
    // Of all that is acknowledged so far some is folded; none may be handed out twice, or never.
    for (let i = 0; i < 3; i++) {
      await scene.done('checkpoint', store.checkpoint({ through: last + 3 }, last + 3))
    }
  }
  await Promise.all([commits(), checkpoints()])
  const { loaded, store: again } = await scene.reopen(opened)
  const through = (loaded.projection as { readonly through: number }).through
  same(
    'the places that are not folded',
    loaded.entries.map(({ seq }) => seq),
    Array.from({ length: 23 - through }, (_, i) => through + i + 1),
  )
  same('the record', loaded.sessions[0]?.record, sampleRecord('a', 20))
  const kept = await scene.done('readSnapshot', again.readSnapshot('a'))
  same('the snapshot', kept, sampleSnapshot('a', 30))
}

export const checkpointCases: readonly PlannedCase[] = [
  {
    name: 'a checkpoint carries the projection; what it lacks is handed out, once',
    play: handsOutTheRest,
  },
  { name: 'a checkpoint keeps what is live', play: keepsWhatIsLive },
  { name: 'nothing is lost that is written while a checkpoint is', play: goesOnMeanwhile },
]
