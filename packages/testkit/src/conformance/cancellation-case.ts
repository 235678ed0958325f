/** Cases about what is called off: it ceases, it leaves nothing behind, and it does nothing late. */
import type { RecoveryStrategy } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { done, eventually, must, pause, proved, type Scene, within } from './asking.js'
import { type Case, renewing } from './case.js'

// ----------------------------------------------------------------------------------- constructors

/** Long enough for work to be under way; what has ended by then was quick. */
const underWayMs = 50

/** Nothing is typed after work was called off and answered. */
const quietNow = async ({ rig }: Scene, sessionId: string): Promise<void> => {
  const before = rig.typedBytes(sessionId)
  await pause(lateMs)
  const typed = rig.typedBytes(sessionId) - before
  must(typed === 0, `${typed} bytes were typed at ${sessionId} after the work was called off`)
}

const lateMs = 100

/** Asks, calls it off, and waits for the answer. */
const calledOff = async <A>(
  { patienceMs }: Scene,
  what: string,
  ask: (signal: AbortSignal) => Promise<A>,
): Promise<A> => {
  const abort = new AbortController()
  const answer = ask(abort.signal)
  await Promise.race([answer, pause(underWayMs)])
  abort.abort()
  return within(patienceMs, `the ${what} ceases`, answer)
}

/** Dead, or usable: nothing in between. */
const decided = async (scene: Scene, sessionId: string): Promise<void> => {
  const { alive } = await scene.rig.probe(sessionId)
  if (alive) await proved(scene, sessionId)
}

const slowStarts = renewing.map(
  (strategy): Case => ({
    name: `slow-cancel: ${strategy} that is called off ceases, and its process does not linger`,
    strategies: [strategy],
    faults: ['slow-cancel'],
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      const snapshot = await scene.snapshot('a')
      const before = await rig.processes()
      await rig.mishaps['slow-cancel']?.strike('a')
      const abort = new AbortController()
      const running = scene.run('a', strategy, { snapshot, signal: abort.signal })
      // Awaited below; until then nobody would hear that it was rejected.
      running.catch(() => {})
      await eventually(scene, 'something is being started', async () =>
        (await rig.processes()).some((each) => !before.includes(each)),
      )
      abort.abort()
      const outcome = await within(scene.patienceMs, 'the run ceases', running)
      must(
        E.isLeft(outcome) || outcome.right._tag === 'failed',
        'a run that was called off before it was ready did not fail',
      )
      await eventually(scene, 'what was being started is gone', async () => {
        return (await rig.processes()).length === 0
      })
      await rig.mishaps['slow-cancel']?.mend?.('a')
      await done(scene, 'a', strategy, { snapshot })
      await proved(scene, 'a', strategy)
    },
  }),
)

const onHung = (what: 'verification' | 'capture'): Case => ({
  name: `hang: a ${what} that is called off ceases, and types nothing afterwards`,
  faults: ['hang'],
  ...(what === 'capture' ? { capture: true as const } : {}),
  play: async (scene) => {
    const { rig, verify, capture } = scene
    await rig.open('a')
    await rig.mishaps.hang?.strike('a')
    await calledOff<unknown>(scene, what, (signal) =>
      what === 'capture'
        ? capture('a', { signal })
        : verify('a', [...rig.driver.supports.strategies][0], { signal }),
    )
    await quietNow(scene, 'a')
  },
})

const interrupting: readonly RecoveryStrategy[] = [
  'prompt-interrupt',
  'prompt-reset',
  'session-refresh',
]

const others: readonly Case[] = [
  {
    name: 'hang: every strategy that is called off ceases, and leaves the session dead or usable',
    faults: ['hang'],
    play: async (scene) => {
      const { rig } = scene
      for (const strategy of rig.driver.supports.strategies) {
        const id = `hung-${strategy}`
        await rig.open(id)
        await rig.mishaps.hang?.strike(id)
        await calledOff(scene, `run of ${strategy}`, (signal) =>
          scene.run(id, strategy, { signal }),
        )
        await quietNow(scene, id)
        await decided(scene, id)
      }
    },
  },
  {
    name: 'a command that is waited for is let be by a strategy that is called off',
    play: async (scene) => {
      const { rig } = scene
      for (const strategy of interrupting.filter((s) => rig.driver.supports.strategies.has(s))) {
        const id = `busy-${strategy}`
        await rig.open(id)
        await rig.begin(id)
        await calledOff(scene, `run of ${strategy}`, (signal) =>
          scene.run(id, strategy, { signal }),
        )
        await quietNow(scene, id)
        must((await rig.begun(id)) === 1, `${strategy} ran the command again`)
      }
    },
  },
  {
    name: 'what was called off before it began does nothing',
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      const before = await rig.probe('a')
      const typed = rig.typedBytes('a')
      const signal = AbortSignal.abort()
      for (const strategy of rig.driver.supports.strategies) {
        await scene.run('a', strategy, { signal })
        must(rig.typedBytes('a') === typed, `${strategy} was called off, and typed`)
        const after = await rig.probe('a')
        must(after.identity === before.identity, `${strategy} was called off, and took the process`)
      }
      await proved(scene, 'a')
    },
  },
]

export const cancellationCases: readonly Case[] = [
  ...slowStarts,
  onHung('verification'),
  onHung('capture'),
  ...others,
]
