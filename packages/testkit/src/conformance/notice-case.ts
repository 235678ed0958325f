/** Cases about what a driver notices by itself, and about which session. */
import type { Observation } from '@session-recovery/core'
import { done, eventually, must, proved, type Scene, unproved } from './asking.js'
import type { Case } from './case.js'
import { type Fault, type Noticed, rememberedName } from './rig.js'

// ----------------------------------------------------------------------------------- constructors

const isEnd = ({ _tag }: Observation): boolean => _tag !== 'changed'

const endsOf = ({ noticed }: Scene, sessionId: string): readonly Observation[] =>
  noticed.filter((observation) => isEnd(observation) && observation.sessionId === sessionId)

/** Breaks a session and waits until its end, if the fault has one, was told. */
const struck = async (scene: Scene, sessionId: string, fault: Fault): Promise<Noticed> => {
  const mishap = scene.rig.mishaps[fault]
  await mishap?.strike(sessionId)
  if (mishap?.noticed === undefined)
    throw new Error(`${fault} is to be noticed, and is not said how`)
  await eventually(scene, `the end of ${sessionId}`, () => endsOf(scene, sessionId).length > 0)
  return mishap.noticed
}

const onceNoticed = (['exit', 'killed', 'half-open'] as const).map(
  (fault): Case => ({
    name: `${fault}: noticed once, of the right session, and as it was`,
    faults: [fault],
    play: async (scene) => {
      const { rig } = scene
      for (const id of ['a', 'b', 'c']) await rig.open(id)
      const expected = await struck(scene, 'a', fault)
      await unproved(scene, 'a')
      // What is told late of the first is told by the time a later one was.
      await struck(scene, 'b', fault)
      const told = endsOf(scene, 'a')
      must(told.length === 1, `one end was told ${told.length} times`)
      must(
        isAs(told[0], expected),
        `${JSON.stringify(told[0])} instead of ${JSON.stringify(expected)}`,
      )
      must(endsOf(scene, 'c').length === 0, 'the end of a session that lives was told')
      await proved(scene, 'c')
    },
  }),
)

const isAs = (told: Observation | undefined, expected: Noticed): boolean =>
  told?._tag === expected._tag &&
  (told._tag !== 'exited' ||
    expected._tag !== 'exited' ||
    (told.exit.exitCode === expected.exit.exitCode && told.exit.signal === expected.exit.signal))

const others: readonly Case[] = [
  {
    name: 'a session that is detached is let be, and nothing is told of it',
    faults: ['killed'],
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      await rig.open('b')
      const before = await rig.probe('a')
      await rig.driver.detach('a')
      const toldBefore = scene.noticed.length
      const after = await rig.probe('a')
      must(after.alive && after.identity === before.identity, `detached, and gone: ${after.detail}`)
      await rig.remember('a', 'changed')
      await rig.mishaps.killed?.strike('a')
      await struck(scene, 'b', 'killed')
      const told = scene.noticed.slice(toldBefore).filter(({ sessionId }) => sessionId === 'a')
      must(told.length === 0, `told of a detached session: ${JSON.stringify(told)}`)
    },
  },
  {
    name: 'a listener that is removed hears nothing more',
    faults: ['killed'],
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      scene.stopWatching()
      const toldBefore = scene.noticed.length
      const heard: Observation[] = []
      rig.driver.watch((observation) => heard.push(observation))
      await rig.mishaps.killed?.strike('a')
      await eventually(scene, 'the end, by the second listener', () => heard.some(isEnd))
      must(scene.noticed.length === toldBefore, 'the removed listener was told')
    },
  },
  {
    name: 'two sessions at once do not mix',
    strategies: ['restore'],
    faults: ['killed'],
    capture: true,
    play: async (scene) => {
      const { rig } = scene
      const ids = ['a', 'b']
      await Promise.all(ids.map((id) => rig.open(id)))
      for (const id of ids) await rig.remember(id, `value of ${id}`)
      const snapshots = await Promise.all(ids.map((id) => scene.snapshot(id)))
      snapshots.forEach(({ environment }, i) => {
        const is = environment[rememberedName]
        must(is === `value of ${ids[i]}`, `the capture of ${ids[i]} has the ${is}`)
      })
      await Promise.all(ids.map((id) => rig.mishaps.killed?.strike(id)))
      await Promise.all(
        snapshots.map((snapshot) => done(scene, snapshot.sessionId, 'restore', { snapshot })),
      )
      await Promise.all(ids.map((id) => proved(scene, id, 'restore')))
      for (const id of ids) {
        const is = await rig.recall(id)
        must(is === `value of ${id}`, `${id} has the ${is ?? 'value of nobody'}`)
      }
      const [one, two] = await Promise.all(ids.map((id) => rig.probe(id)))
      must(one?.identity !== two?.identity, 'both are one process')
    },
  },
  {
    name: 'the loss of one session says nothing of another',
    faults: ['killed'],
    play: async (scene) => {
      await scene.rig.open('a')
      await scene.rig.open('b')
      await scene.rig.mishaps.killed?.strike('a')
      await unproved(scene, 'a')
      await proved(scene, 'b')
    },
  },
]

export const noticeCases: readonly Case[] = [...onceNoticed, ...others]
