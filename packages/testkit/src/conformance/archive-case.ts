/** What a store owes of archives. */
import { sampleArchive } from '../store-sample.js'
import type { PlannedCase } from './store-case.js'
import { type StoreScene, same } from './store-scene.js'

// ------------------------------------------------------------------------------------------ cases

const readsBack = async (scene: StoreScene) => {
  const opened = await scene.open()
  const { store } = opened
  const full = sampleArchive('../../a', 'one')
  const bare = { ...sampleArchive('b', 'two'), snapshot: null }
  const locations = [
    await scene.done('archive', store.archive(full)),
    await scene.done('archive', store.archive(bare)),
  ]
  same('how many locations', new Set(locations).size, 2)
  const again = await scene.reopen(opened)
  for (const [i, archive] of [full, bare].entries()) {
    const read = again.store.readArchive(locations[i] ?? '')
    same('the archive', await scene.done('readArchive', read), archive)
  }
}

const oneForEachToken = async (scene: StoreScene) => {
  const opened = await scene.open()
  const { store } = opened
  const locations = await Promise.all(
    [1, 2, 3].map((generation) =>
      scene.done('archive', store.archive(sampleArchive('a', 'token', generation))),
    ),
  )
  same('how many locations', new Set(locations).size, 1)
  const again = await scene.reopen(opened)
  const later = await scene.done('later', again.store.archive(sampleArchive('a', 'token', 4)))
  same('the location, later', later, locations[0])
  const kept = await scene.done('readArchive', again.store.readArchive(later))
  same('the first stays', kept, sampleArchive('a', 'token', 1))
}

const readsNothingElse = async (scene: StoreScene) => {
  const { store } = await scene.open()
  const location = await scene.done('archive', store.archive(sampleArchive('a', 'token')))
  for (const other of [
    '',
    '/etc/passwd',
    '../x',
    `${location}\0`,
    `./${location}`,
    `${location}/../${location}`,
    'archives/00000000-0000-0000-0000-000000000000.json',
    '__proto__',
  ]) {
    await scene.refused(
      `the location ${JSON.stringify(other)}`,
      store.readArchive(other),
      'NotFound',
    )
  }
}

export const archiveCases: readonly PlannedCase[] = [
  { name: 'an archive is read back from its location', play: readsBack },
  { name: 'one token is one archive, and the first stays', play: oneForEachToken },
  { name: 'only a location that was given is read', play: readsNothingElse },
]
