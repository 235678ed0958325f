/** A keeper of one session over a store in memory of which each call is written down, and may be refused. */
import {
  type Policy,
  type PolicyInput,
  type RecoverySnapshot,
  redact,
  type Store,
  type StoreError,
} from '@session-recovery/core'
import { memoryMedium, memorySecrets, memoryStore } from '@session-recovery/engine'
import { sampleCommit } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { Keeper } from '../src/keeper.js'
import type { Runtime } from '../src/runtime.js'
import { policyOf } from './scripted-world.js'

export const unusable: StoreError = { _tag: 'StoreUnusable', message: 'it rotted' }
export const large: StoreError = {
  _tag: 'TooLarge',
  what: 'it',
  bytes: 2,
  limitBytes: 1,
  message: 'large',
}

/** A keeper of session `s` over a store in memory of which each call is written down, and may be refused. */
export const kept = async (input: PolicyInput = {}, more: Partial<Store> = {}) => {
  const store = memoryStore(memoryMedium())
  await store.commit(sampleCommit('s', 1))()
  const calls: string[] = []
  const told: unknown[] = []
  const logged: unknown[] = []
  const answer = { refuse: (_: string): StoreError | undefined => undefined, secret: true }
  const through =
    <A>(name: string, work: () => Promise<E.Either<StoreError, A>>) =>
    async () => {
      calls.push(name)
      const error = answer.refuse(name)
      return error === undefined ? work() : E.left(error)
    }
  const secrets = memorySecrets()
  const clock = { nowMs: 1_000 }
  const policy: Policy = policyOf(input)
  const runtime = {
    policy,
    store: {
      ...store,
      saveSnapshot: (snapshot) => through('save', store.saveSnapshot(snapshot)),
      readSnapshot: (id) => through('read', store.readSnapshot(id)),
      ...more,
    } satisfies Store,
    secrets: {
      put: (reference, value) => async () =>
        answer.secret
          ? secrets.put(reference, value)()
          : E.left({ _tag: 'SecretsUnavailable', message: 'no keychain' } as never),
      get: secrets.get,
    } satisfies Runtime['secrets'],
    notify: (notice: unknown) => told.push(notice),
    logger: (...line: readonly unknown[]) => void logged.push(line.slice(0, 2)),
    nowMs: () => clock.nowMs,
  } as unknown as Runtime
  const keeperOf = (view?: Keeper['view']) => new Keeper(runtime, 's', 1, view)
  return { keeper: keeperOf(), keeperOf, calls, told, logged, answer, clock, store, policy }
}

export const first = (more: Partial<RecoverySnapshot> = {}): RecoverySnapshot => ({
  ...{ sessionId: 's', timestamp: new Date(5), sessionState: null, sessionOptions: null },
  ...{ environment: {}, workingDirectory: '/', commandHistory: [], outputBuffer: [], ...more },
})
export const asRedacted = (snapshot: RecoverySnapshot) => redact(snapshot, [])
export const yes = Promise.resolve(true)
export const view = (generation: number, capturedAtMs: number) => ({ generation, capturedAtMs })
