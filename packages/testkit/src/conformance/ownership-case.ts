/** What a store that declares to be exclusive owes. */
import * as E from 'fp-ts/lib/Either.js'
import { sampleCommit, sampleRecord } from '../store-sample.js'
import type { PlannedCase } from './store-case.js'
import { type StoreScene, same } from './store-scene.js'

// ------------------------------------------------------------------------------------------ cases

const oneAtATime = async (scene: StoreScene) => {
  const first = await scene.open()
  await scene.done('commit', first.store.commit(sampleCommit('a', 1)))
  const second = scene.track(scene.place.store())
  await scene.refused('a second store', second.open, 'StoreOwned')
  await scene.refused(
    'what the second writes',
    second.commit(sampleCommit('a', 2)),
    'StoreUnavailable',
    'StoreOwned',
  )
  await scene.done('what the first writes', first.store.commit(sampleCommit('a', 2)))
  await first.store.close()
  const loaded = await scene.done('the second, later', second.open)
  same('the record', loaded.sessions[0]?.record, sampleRecord('a', 2))
  await scene.refused(
    'what the first writes, later',
    first.store.commit(sampleCommit('a', 3)),
    'StoreUnavailable',
    'StoreOwned',
  )
  await second.close()
}

const oneOfMany = async (scene: StoreScene) => {
  const stores = Array.from({ length: 6 }, () => scene.track(scene.place.store()))
  const answers = await Promise.all(stores.map((store) => scene.asked('open', store.open)))
  same('how many of six own it', answers.filter(E.isRight).length, 1)
  for (const answer of answers) {
    if (E.isLeft(answer)) same('the others', answer.left._tag, 'StoreOwned')
  }
  for (const store of stores) await store.close()
}

const freedByCrash = async (scene: StoreScene) => {
  const { store } = await scene.open()
  await scene.done('commit', store.commit(sampleCommit('a', 1)))
  // Opens at once, or breaks the case.
  const again = await scene.crashed()
  await scene.refused('a second store', scene.track(scene.place.store()).open, 'StoreOwned')
  await scene.done('commit', again.store.commit(sampleCommit('a', 2)))
}

export const ownershipCases: readonly PlannedCase[] = [
  { name: 'one store at a time owns a place', needs: ['exclusive'], play: oneAtATime },
  { name: 'of many that open at once one owns the place', needs: ['exclusive'], play: oneOfMany },
  { name: 'a crash frees the place at once', needs: ['exclusive', 'crash'], play: freedByCrash },
]
