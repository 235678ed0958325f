/** Cases about care: what must not be typed at, run again, or changed. */
import type { RecoveryStrategy } from '@session-recovery/core'
import { defaultPolicy, recoveryStrategies, touchesLiving } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { done, isDone, must, proved, type Scene } from './asking.js'
import { type Case, renewing } from './case.js'

// ----------------------------------------------------------------------------------- constructors

const mustBeUntouched = async (
  { rig }: Scene,
  sessionId: string,
  what: string,
  work: () => Promise<unknown>,
): Promise<void> => {
  const identity = (await rig.probe(sessionId)).identity
  const typed = rig.typedBytes(sessionId)
  await work()
  const bytes = rig.typedBytes(sessionId) - typed
  must(bytes === 0, `${what} typed ${bytes} bytes`)
  const life = await rig.probe(sessionId)
  must(life.alive && life.identity === identity, `${what} took the process: ${life.detail}`)
}

const declared = ({ rig }: Scene): readonly RecoveryStrategy[] => [
  ...rig.driver.supports.strategies,
]

const attended = (busy: boolean): Case => ({
  name: `an attended session ${busy ? 'with a waiting program' : 'at its prompt'} is typed at by nothing`,
  play: async (scene) => {
    const { rig } = scene
    const traits = { ...rig.traits, attended: true }
    await rig.open('a', { attended: true })
    if (busy) await rig.begin('a')
    for (const strategy of declared(scene).filter((s) => touchesLiving.has(s))) {
      await mustBeUntouched(scene, 'a', `${strategy} of an attended session`, async () => {
        const outcome = await scene.run('a', strategy, { traits })
        must(!isDone(outcome), `${strategy} says that its work is done on an attended session`)
      })
    }
    await mustBeUntouched(scene, 'a', 'looking at an attended session', async () => {
      await scene.verify('a', undefined, { traits })
      if (rig.driver.supports.capture) await scene.capture('a', { traits })
    })
    for (const strategy of declared(scene).filter((s) => s === 'restart' || s === 'restore')) {
      const typed = rig.typedBytes('a')
      await scene.run('a', strategy, { traits })
      must(rig.typedBytes('a') === typed, `${strategy} typed at an attended session`)
    }
  },
})

const repeated = renewing.map(
  (strategy): Case => ({
    name: `${strategy} under the same token as before leaves one process, and it is proved`,
    strategies: [strategy],
    faults: ['killed'],
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      const snapshot = await scene.snapshot('a')
      const alone = (await rig.processes()).length
      await rig.mishaps.killed?.strike('a')
      const token = `twice-${strategy}`
      await done(scene, 'a', strategy, { snapshot, token })
      await done(scene, 'a', strategy, { snapshot, token, repeated: true })
      await proved(scene, 'a', strategy)
      const left = await rig.processes()
      must(left.length === alone, `${left.length} processes where ${alone} was: ${left.join('; ')}`)
    },
  }),
)

const strategies: readonly Case[] = [
  {
    name: 'a strategy that is not declared is unsupported, and touches nothing',
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      const undeclared = recoveryStrategies.filter((s) => !rig.driver.supports.strategies.has(s))
      for (const strategy of undeclared) {
        await mustBeUntouched(scene, 'a', `${strategy}, which is not declared,`, async () => {
          const outcome = await scene.run('a', strategy)
          const tag = E.isRight(outcome) ? outcome.right._tag : outcome.left._tag
          must(tag === 'unsupported', `${strategy} is not declared, and was answered ${tag}`)
        })
      }
      await proved(scene, 'a')
    },
  },
  {
    name: 'a session that is well keeps its process under every strategy for the living',
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      const { identity } = await rig.probe('a')
      for (const strategy of declared(scene).filter((s) => touchesLiving.has(s))) {
        const outcome = await scene.run('a', strategy)
        if (isDone(outcome)) await proved(scene, 'a', strategy)
        const life = await rig.probe('a')
        must(
          life.alive && life.identity === identity,
          `${strategy} took the process of a session that is well`,
        )
      }
    },
  },
  {
    name: 'a command whose outcome is not known is run again by no strategy',
    play: async (scene) => {
      const { rig } = scene
      for (const strategy of declared(scene)) {
        const id = `pending-${strategy}`
        await rig.open(id)
        await rig.begin(id)
        const snapshot = await scene.snapshot(id)
        await scene.run(id, strategy, { snapshot })
        await scene.verify(id, strategy, { snapshot })
        must((await rig.begun(id)) === 1, `${strategy} ran a command again, its shell alive`)
        await rig.mishaps.killed?.strike(id)
        await scene.run(id, strategy, { snapshot })
        await scene.verify(id, strategy, { snapshot })
        must((await rig.begun(id)) === 1, `${strategy} ran a command again, its shell killed`)
      }
    },
  },
]

const retried: Case = {
  name: 'a command declared idempotent is run again as often as the policy says, and no more',
  strategies: ['command-retry'],
  faults: ['killed'],
  capture: true,
  play: async (scene) => {
    const { rig } = scene
    await rig.open('a')
    const line = await rig.begin('a')
    const snapshot = await scene.snapshot('a')
    const pending = snapshot.interactiveState?.pendingCommands ?? []
    must(pending.includes(line), `the capture does not name what runs: ${pending.join('; ')}`)
    await rig.mishaps.killed?.strike('a')
    const commandRetry = { ...defaultPolicy.commandRetry, maxRetries: 1, timeoutPerCommandMs: 500 }
    await scene.run('a', 'command-retry', {
      snapshot,
      traits: { ...rig.traits, idempotentCommands: [line] },
      policy: { ...defaultPolicy, commandRetry },
    })
    const times = await rig.begun('a')
    must(times === 2, `with one retry allowed the command was run ${times} times in all`)
  },
}

const replicated: Case = {
  name: 'replicate gives one session in the place of another, never two',
  strategies: ['replicate'],
  play: async (scene) => {
    const { rig } = scene
    await rig.open('a')
    const before = await rig.probe('a')
    const alone = (await rig.processes()).length
    const snapshot = await scene.snapshot('a')
    await done(scene, 'a', 'replicate', { snapshot, replicaId: 'b' })
    const verdict = await scene.verify('a', 'replicate')
    must(verdict._tag === 'alive', 'the replica is not proved')
    must(
      !(await rig.probe('a')).alive,
      'the session that was replicated lives on beside its replica',
    )
    const after = await rig.probe('b')
    must(after.alive && after.identity !== before.identity, `the replica is ${after.detail}`)
    const now = await rig.processes()
    must(now.length === alone, `${now.length} processes where ${alone} was: ${now.join('; ')}`)
  },
}

const captures: readonly Case[] = [
  {
    name: 'a capture changes nothing, and says the same twice',
    capture: true,
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      await rig.remember('a', 'seen')
      const views: string[] = []
      await mustBeUntouched(scene, 'a', 'a capture', async () => {
        for (const _time of [1, 2, 3]) {
          const captured = await scene.capture('a')
          if (E.isLeft(captured)) throw new Error(captured.left.message)
          const { update, foreground } = captured.right
          const { environment, workingDirectory, commandHistory, outputBuffer } = update
          views.push(
            JSON.stringify([
              environment,
              workingDirectory,
              commandHistory,
              outputBuffer,
              foreground.kind,
            ]),
          )
        }
      })
      must(
        new Set(views).size === 1,
        `captures changed the session: ${[...new Set(views)].join('\n')}`,
      )
      must((await rig.recall('a')) === 'seen', 'captures changed a variable')
    },
  },
  {
    name: 'a capture lets a program that waits for input be',
    capture: true,
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      await rig.begin('a')
      await mustBeUntouched(scene, 'a', 'a capture of a waiting program', async () => {
        await scene.capture('a')
        await scene.capture('a')
      })
      must((await rig.begun('a')) === 1, 'a capture ran a command')
    },
  },
  {
    name: 'what stands for output and history is another one once either is',
    capture: true,
    play: async (scene) => {
      const { rig } = scene
      const said = new Map<object, string>()
      const look = async (): Promise<void> => {
        const captured = await scene.capture('a')
        if (E.isLeft(captured)) throw new Error(captured.left.message)
        const { update, bulkIdentity } = captured.right
        if (bulkIdentity === undefined) return
        const bulk = JSON.stringify([update.outputBuffer, update.commandHistory])
        const before = said.get(bulkIdentity) ?? bulk
        must(before === bulk, `the same stands for ${before} and for ${bulk}`)
        said.set(bulkIdentity, bulk)
      }
      await rig.open('a')
      await look()
      await rig.remember('a', 'seen')
      await look()
      await rig.begin('a')
      await look()
      const captured = await scene.snapshot('a')
      if (declared(scene).includes('restore'))
        await scene.run('a', 'restore', { snapshot: captured })
      await look()
    },
  },
]

export const careCases: readonly Case[] = [
  ...strategies,
  attended(false),
  attended(true),
  ...repeated,
  retried,
  replicated,
  ...captures,
]
