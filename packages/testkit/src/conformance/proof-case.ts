/** Cases about proof: what is said to be alive is alive, and what is said to be done is still unproved. */
import { isSecretReference, secretReference, withSecrets } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { done, isDone, must, pause, proved, unproved } from './asking.js'
import { type Case, disabling, renewing } from './case.js'
import { rememberedName } from './rig.js'

// ----------------------------------------------------------------------------------- constructors

const untouched = disabling.map(
  (fault): Case => ({
    name: `${fault}: a session to which nothing was done since is not proved alive`,
    faults: [fault],
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      await rig.mishaps[fault]?.strike('a')
      await unproved(scene, 'a')
      for (const strategy of rig.driver.supports.strategies) await unproved(scene, 'a', strategy)
    },
  }),
)

const revived = disabling.flatMap((fault) =>
  renewing.map(
    (strategy): Case => ({
      name: `${fault}: ${strategy} gives a new process, proved as declared`,
      strategies: [strategy],
      faults: [fault],
      play: async (scene) => {
        const { rig } = scene
        await rig.open('a')
        const before = await rig.probe('a')
        const snapshot = await scene.snapshot('a')
        await rig.mishaps[fault]?.strike('a')
        await done(scene, 'a', strategy, { snapshot })
        const { items } = await proved(scene, 'a', strategy)
        must(items.process.status === 'restored', `the process is ${items.process.status}`)
        const after = await rig.probe('a')
        must(after.identity !== before.identity, 'the process is the one there was before')
      },
    }),
  ),
)

const reconnected: Case = {
  name: 'half-open: reconnect gives the same process back, proved as declared, or says it is another',
  strategies: ['reconnect'],
  faults: ['half-open'],
  play: async (scene) => {
    const { rig } = scene
    await rig.open('a')
    const before = await rig.probe('a')
    const snapshot = await scene.snapshot('a')
    await rig.mishaps['half-open']?.strike('a')
    await rig.mishaps['half-open']?.mend?.('a')
    await done(scene, 'a', 'reconnect', { snapshot })
    const { items } = await proved(scene, 'a', 'reconnect')
    const isSame = (await rig.probe('a')).identity === before.identity
    must(
      isSame === (items.process.status === 'restored'),
      `the process is ${isSame ? 'the same' : 'another'}; the receipt calls it ${items.process.status}`,
    )
  },
}

const impostors = renewing.map(
  (strategy): Case => ({
    name: `lying-success: ${strategy} of what only says that all is well proves nothing`,
    strategies: [strategy],
    faults: ['lying-success'],
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      const snapshot = await scene.snapshot('a')
      await rig.mishaps['lying-success']?.strike('a')
      const abort = new AbortController()
      const running = scene.run('a', strategy, { snapshot, signal: abort.signal })
      // One that waits for better evidence may go on waiting; one that was taken in answers at once.
      await Promise.race([running, pause(impostorMs)])
      const taken = await scene.verify('a', strategy)
      must(taken._tag === 'unproved', 'an impostor is called alive')
      abort.abort()
      await running
      await unproved(scene, 'a', strategy)
    },
  }),
)

const impostorMs = 1_000

const credited = renewing.map(
  (strategy): Case => ({
    name: `a session that was never lost is no proof of ${strategy}`,
    strategies: [strategy],
    play: async (scene) => {
      await scene.rig.open('a')
      await unproved(scene, 'a', strategy)
    },
  }),
)

const others: readonly Case[] = [
  {
    name: 'a session that is well is proved alive when it is looked at, and keeps its process',
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      const before = await rig.probe('a')
      await proved(scene, 'a')
      must((await rig.probe('a')).identity === before.identity, 'looking changed the process')
    },
  },
  {
    name: 'what the receipt calls restored is there; what it does not is said to be lost',
    strategies: ['restore'],
    faults: ['killed'],
    capture: true,
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      await rig.remember('a', 'kept')
      const snapshot = await scene.snapshot('a')
      must(snapshot.environment[rememberedName] === 'kept', 'the capture lacks a variable')
      await rig.mishaps.killed?.strike('a')
      await done(scene, 'a', 'restore', { snapshot })
      const { env } = (await proved(scene, 'a', 'restore')).items
      const is = await rig.recall('a')
      must(
        (env.status === 'restored') === (is === 'kept'),
        `the receipt calls the environment ${env.status}; the variable is ${is ?? 'not there'}`,
      )
    },
  },
  {
    name: 'a secret that nobody has any more is reported lost, by the name of its variable',
    strategies: ['restore'],
    faults: ['killed'],
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      const snapshot = await scene.snapshot('a')
      const reference = secretReference('a', 'env', 'LOST_TOKEN')
      must(isSecretReference(reference), 'a reference that is none')
      const environment = { ...snapshot.environment, LOST_TOKEN: reference }
      await rig.mishaps.killed?.strike('a')
      await done(scene, 'a', 'restore', {
        snapshot: withSecrets({ ...snapshot, environment }, new Map()),
        lostSecrets: [reference],
      })
      const { env } = (await proved(scene, 'a', 'restore')).items
      must(env.status === 'lost', `an environment that lacks a secret is called ${env.status}`)
      must(env.detail.includes('LOST_TOKEN'), `the lost secret is not named: ${env.detail}`)
    },
  },
  {
    name: 'a session nobody knows is not proved alive, and cannot be captured',
    play: async (scene) => {
      await scene.rig.open('a')
      await unproved(scene, 'nobody')
      must(E.isLeft(await scene.capture('nobody')), 'a capture of a session nobody knows')
    },
  },
  {
    name: 'a session nobody knows and nothing was kept of cannot be brought back',
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      const before = await rig.processes()
      for (const strategy of rig.driver.supports.strategies) {
        const outcome = await scene.run('nobody', strategy)
        must(!isDone(outcome), `${strategy} says that its work is done on a session nobody knows`)
      }
      await unproved(scene, 'nobody')
      must(String(await rig.processes()) === String(before), 'processes of a session nobody knows')
    },
  },
]

export const proofCases: readonly Case[] = [
  ...untouched,
  ...revived,
  reconnected,
  ...impostors,
  ...credited,
  ...others,
]
