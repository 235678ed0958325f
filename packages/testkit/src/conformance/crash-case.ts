/** What a store that declares to be durable owes when what runs it is killed. */
import * as E from 'fp-ts/lib/Either.js'
import { sampleArchive, sampleCommit, sampleRecord, sampleSnapshot } from '../store-sample.js'
import type { PlannedCase } from './store-case.js'
import { type StoreScene, same, sure } from './store-scene.js'

// ------------------------------------------------------------------------------------------ cases

const commitSurvives = async (scene: StoreScene) => {
  let { store } = await scene.open()
  for (let rev = 1; rev <= 3; rev++) {
    await scene.done('commit', store.commit(sampleCommit('a', rev)))
    const again = await scene.crashed()
    same('the record', again.loaded.sessions[0]?.record, sampleRecord('a', rev))
    same(
      'the entries',
      again.loaded.entries.map((entry) => entry.rev),
      Array.from({ length: rev }, (_, i) => i + 1),
    )
    store = again.store
  }
}

const snapshotSurvives = async (scene: StoreScene) => {
  let { store } = await scene.open()
  await scene.done('commit', store.commit(sampleCommit('a', 1)))
  for (let generation = 1; generation <= 3; generation++) {
    const snapshot = sampleSnapshot('a', generation, 1, 'x'.repeat(generation * 3_000))
    await scene.done('saveSnapshot', store.saveSnapshot(snapshot))
    const again = await scene.crashed()
    same('the view', again.loaded.sessions[0]?.view, snapshot.view)
    same('the snapshot', await scene.done('read', again.store.readSnapshot('a')), snapshot)
    store = again.store
  }
}

const archiveSurvives = async (scene: StoreScene) => {
  const { store } = await scene.open()
  const location = await scene.done('archive', store.archive(sampleArchive('a', 'token')))
  const again = await scene.crashed()
  const kept = await scene.done('readArchive', again.store.readArchive(location))
  same('the archive', kept, sampleArchive('a', 'token'))
}

const forgettingSurvives = async (scene: StoreScene) => {
  const { store } = await scene.open()
  await scene.done('commit', store.commit(sampleCommit('a', 1)))
  await scene.done('saveSnapshot', store.saveSnapshot(sampleSnapshot('a', 1)))
  await scene.done('forget', store.forget('a', 1))
  const again = await scene.crashed()
  same('the sessions', again.loaded.sessions, [])
  await scene.refused('the snapshot', again.store.readSnapshot('a'), 'NotFound')
}

const checkpointSurvives = async (scene: StoreScene) => {
  const { store } = await scene.open()
  for (let rev = 1; rev <= 4; rev++) {
    await scene.done('commit', store.commit(sampleCommit('a', rev)))
  }
  await scene.done('checkpoint', store.checkpoint('folded', 3))
  const again = await scene.crashed()
  same('the projection', again.loaded.projection, 'folded')
  same(
    'what is not folded',
    again.loaded.entries.map(({ seq }) => seq),
    [4],
  )
  same('the record', again.loaded.sessions[0]?.record, sampleRecord('a', 4))
}

/** How far a session was tried, and how far it was acknowledged. */
interface Progress {
  tried: number
  acknowledged: number
  generation: number
}

const crashesUnderLoad = async (scene: StoreScene) => {
  const ids = Array.from({ length: 8 }, (_, i) => `s${i}`)
  const progress = new Map<string, Progress>(
    ids.map((id) => [id, { tried: 0, acknowledged: 0, generation: 0 }]),
  )
  let { store } = await scene.open()
  let seq = 0
  for (const crashAfter of [1, 7, 40, 3, 120]) {
    await new Promise<void>((enough) => {
      let left = crashAfter
      const live = async (so: Progress, id: string) => {
        for (;;) {
          const rev = so.acknowledged + 1
          so.tried = rev
          seq += 1
          // What is under way when it crashes may never be answered: nobody waits for these.
          if (E.isLeft(await store.commit(sampleCommit(id, rev, 1, seq))())) return
          if (left <= 0) return
          so.acknowledged = rev
          left -= 1
          if (left === 0) enough()
          if (rev % 3 !== 0) continue
          const snapshot = sampleSnapshot(id, rev, 1, 'x'.repeat((rev * 997) % 20_000))
          if (E.isLeft(await store.saveSnapshot(snapshot)())) return
          if (left > 0) so.generation = rev
        }
      }
      for (const [id, so] of progress) void live(so, id)
    })
    const again = await scene.crashed()
    store = again.store
    const found = new Map(
      again.loaded.sessions.map((session) => [session.record.control.sessionId, session]),
    )
    for (const [id, so] of progress) {
      const { record, view } = found.get(id) ?? {}
      const rev = record?.rev ?? 0
      const revs = again.loaded.entries.filter(({ sessionId }) => sessionId === id)
      sure(`${id}: acknowledged ${so.acknowledged}, there is ${rev}`, rev >= so.acknowledged)
      sure(`${id}: tried up to ${so.tried}, there is ${rev}`, rev <= so.tried)
      same(
        `${id}: its entries`,
        revs.map((entry) => entry.rev),
        Array.from({ length: rev }, (_, i) => i + 1),
      )
      sure(
        `${id}: snapshot ${so.generation} was acknowledged`,
        (view?.generation ?? 0) >= so.generation,
      )
      if (view !== undefined) {
        const kept = await scene.done('readSnapshot', store.readSnapshot(id))
        const { output } = kept.body as { readonly output: string }
        same('a whole body', output.length, (view.generation * 997) % 20_000)
      }
      so.acknowledged = rev
      so.tried = rev
    }
    seq = Math.max(seq, again.loaded.latestSeq)
  }
}

const crashesWithinCheckpoint = async (scene: StoreScene) => {
  let { store } = await scene.open()
  for (let rev = 1; rev <= 6; rev++) {
    await scene.done('commit', store.commit(sampleCommit('a', rev)))
  }
  await scene.done('saveSnapshot', store.saveSnapshot(sampleSnapshot('a', 1)))
  for (let rev = 7; rev <= 10; rev++) {
    void store.checkpoint(rev, rev - 1)()
    await scene.done('a commit meanwhile', store.commit(sampleCommit('a', rev)))
    const again = await scene.crashed()
    store = again.store
    same('the record', again.loaded.sessions[0]?.record, sampleRecord('a', rev))
    const projection = again.loaded.projection as number | undefined
    sure(`the projection ${projection}`, projection === undefined || projection <= rev)
    same(
      'what is not folded',
      again.loaded.entries.map((entry) => entry.rev),
      Array.from({ length: rev }, (_, i) => i + 1).filter((one) => one >= (projection ?? 0)),
    )
    const kept = await scene.done('readSnapshot', store.readSnapshot('a'))
    same('the snapshot', kept, sampleSnapshot('a', 1))
  }
}

const crashesAgain = async (scene: StoreScene) => {
  const { store } = await scene.open()
  await scene.done('commit', store.commit(sampleCommit('a', 1)))
  await scene.crashed()
  await scene.crashed()
  const again = await scene.crashed()
  await scene.done('commit', again.store.commit(sampleCommit('a', 2)))
  const last = await scene.crashed()
  same('the record', last.loaded.sessions[0]?.record, sampleRecord('a', 2))
  same('nothing is set aside', last.loaded.quarantined, [])
}

export const crashCases: readonly PlannedCase[] = (
  [
    ['an acknowledged commit survives a crash', commitSurvives],
    ['an acknowledged snapshot survives a crash', snapshotSurvives],
    ['an acknowledged archive survives a crash', archiveSurvives],
    ['what was forgotten stays so after a crash', forgettingSurvives],
    ['an acknowledged checkpoint survives a crash', checkpointSurvives],
    ['a crash under load loses nothing and tears nothing', crashesUnderLoad],
    ['a crash while a checkpoint is written loses nothing', crashesWithinCheckpoint],
    ['a crash right after a crash loses nothing', crashesAgain],
  ] as const
).map(([name, play]) => ({ name, needs: ['crash'], play }))
