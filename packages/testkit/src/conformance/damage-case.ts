/** What a store owes when its medium has spoiled what it holds. */
import * as E from 'fp-ts/lib/Either.js'
import { sampleCommit, sampleMark, sampleRecord, sampleSnapshot } from '../store-sample.js'
import type { PlannedCase } from './store-case.js'
import { type OpenedStore, type StoreScene, same, sure } from './store-scene.js'

// ------------------------------------------------------------------------------------------ cases

const fill = async (scene: StoreScene): Promise<OpenedStore> => {
  const opened = await scene.open()
  let seq = 0
  for (const id of ['a', 'b', 'c']) {
    seq += 1
    await scene.done('commit', opened.store.commit(sampleCommit(id, 1, 1, seq)))
    await scene.done('saveSnapshot', opened.store.saveSnapshot(sampleSnapshot(id, 1)))
  }
  return opened
}

const spoil = async ({ place }: StoreScene, text: string) => {
  sure('what was stored is found and spoilt', (await place.spoil?.(text)) === true)
}

const othersRead = async (scene: StoreScene, { store }: OpenedStore) => {
  for (const id of ['a', 'c']) {
    const kept = await scene.done(`readSnapshot of ${id}`, store.readSnapshot(id))
    same(`the snapshot of ${id}`, kept, sampleSnapshot(id, 1))
  }
}

const othersLoad = async (scene: StoreScene, opened: OpenedStore) => {
  const records = new Map(
    opened.loaded.sessions.map(({ record }) => [record.control.sessionId, record]),
  )
  for (const id of ['a', 'c']) same(`the record of ${id}`, records.get(id), sampleRecord(id, 1))
  await othersRead(scene, opened)
}

/** A spoilt body is refused with a type, or was set aside and is gone; it is never handed out. */
const neverHandedOut = async (scene: StoreScene, { store }: OpenedStore) => {
  const answer = await scene.asked('the spoilt snapshot', store.readSnapshot('b'))
  if (E.isRight(answer)) sure('a spoilt snapshot is not handed out', false)
  else {
    sure(
      `refused as ${answer.left._tag}`,
      answer.left._tag === 'StoreUnusable' || answer.left._tag === 'NotFound',
    )
    sure('it says what is wrong', answer.left.message !== '')
  }
}

const spoiltWhileClosed = async (scene: StoreScene) => {
  const { store } = await fill(scene)
  await store.close()
  await spoil(scene, sampleMark('b', 1))
  const again = await scene.open()
  for (const { source, problem } of again.loaded.quarantined) {
    sure('what is set aside names its place and what is wrong', source !== '' && problem !== '')
  }
  await neverHandedOut(scene, again)
  await othersLoad(scene, again)
  await scene.done('a new snapshot', again.store.saveSnapshot(sampleSnapshot('b', 2)))
  const last = await scene.reopen(again)
  const kept = await scene.done('readSnapshot', last.store.readSnapshot('b'))
  same('the new snapshot', kept, sampleSnapshot('b', 2))
}

const spoiltWhileOpen = async (scene: StoreScene) => {
  const opened = await fill(scene)
  await spoil(scene, sampleMark('b', 1))
  await neverHandedOut(scene, opened)
  await othersRead(scene, opened)
  await scene.done('a checkpoint', opened.store.checkpoint('folded', 3))
  const again = await scene.reopen(opened)
  same('the projection', again.loaded.projection, 'folded')
  await neverHandedOut(scene, again)
  await othersLoad(scene, again)
}

const spoiltRecord = async (scene: StoreScene) => {
  const { store } = await fill(scene)
  const commit = sampleCommit('b', 2, 1, 4)
  const entry = { ...commit.entry, policyDigest: 'a-digest-of-its-own' }
  await scene.done('commit', store.commit({ ...commit, entry }))
  await scene.done('commit', store.commit(sampleCommit('c', 2, 1, 5)))
  await store.close()
  await spoil(scene, 'a-digest-of-its-own')
  const again = await scene.open()
  const told = again.loaded.quarantined
  sure('it is told that something was set aside', told.length > 0)
  for (const { source, problem } of told) {
    sure('it names its place and what is wrong', source !== '' && problem !== '')
  }
  const records = new Map(
    again.loaded.sessions.map(({ record }) => [record.control.sessionId, record]),
  )
  same('the record of a', records.get('a'), sampleRecord('a', 1))
  same('the record of c', records.get('c'), sampleRecord('c', 2))
  sure(
    'no record that was never acknowledged',
    (records.get('b')?.rev ?? 0) <= 2 && records.get('b')?.control.sessionId !== 'a',
  )
}

export const damageCases: readonly PlannedCase[] = [
  {
    name: 'a snapshot that was spoilt while closed is never handed out; others load',
    needs: ['spoil'],
    play: spoiltWhileClosed,
  },
  {
    name: 'a snapshot that was spoilt while open is never handed out; others load',
    needs: ['spoil'],
    play: spoiltWhileOpen,
  },
  {
    name: 'a spoilt record is set aside and told; others load',
    needs: ['spoil'],
    play: spoiltRecord,
  },
]
