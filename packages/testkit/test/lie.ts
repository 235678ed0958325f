/**
 * What a lie is: a driver that is truthful but for one thing, and the case of the conformance suite that
 * has to see through it.
 */
import {
  type Driver,
  type Observation,
  type RunOutcome,
  type RunRequest,
  receiptOf,
  restored,
  type Verdict,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { MemoryRig } from './memory-rig.js'

// ------------------------------------------------------------------------------------------ model

export interface Lie {
  readonly lie: string
  readonly caughtBy: string
  /** What the case says is wrong. */
  readonly because: RegExp
  readonly tell: (rig: MemoryRig) => Driver
}

// ----------------------------------------------------------------------------------- constructors

export const never = <A>(): Promise<A> => new Promise<A>(() => {})
export const unproved: Verdict = { _tag: 'unproved', detail: 'not known', evidence: [] }
export const done: RunOutcome = { _tag: 'done', detail: 'it says so' }

export const proof = (
  grade: 'observed' | 'claimed',
  more: { readonly trusted?: boolean } = {},
): Verdict => ({
  _tag: 'alive',
  receipt: receiptOf(grade, { process: restored('it says so') }, [
    { source: 'probe', grade, trusted: true, detail: 'it says so', atMs: 0, ...more },
  ]),
})

/** Answers some runs itself, and leaves the rest to the truthful driver. */
export const running =
  (answer: (rig: MemoryRig, request: RunRequest) => Promise<RunOutcome> | undefined) =>
  (rig: MemoryRig): Driver => ({
    ...rig.driver,
    run: (request) => {
      const own = answer(rig, request)
      return own === undefined ? rig.driver.run(request) : async () => E.right(await own)
    },
  })

/** Does the truthful work, and something besides. */
export const after =
  (what: (rig: MemoryRig, request: RunRequest) => void) =>
  (rig: MemoryRig): Driver => ({
    ...rig.driver,
    run: (request) => async () => {
      const outcome = await rig.driver.run(request)()
      what(rig, request)
      return outcome
    },
  })

export const verifying =
  (answer: (rig: MemoryRig, verdict: Verdict, sessionId: string) => Verdict | Promise<Verdict>) =>
  (rig: MemoryRig): Driver => ({
    ...rig.driver,
    verify: (request) => async () => {
      const told = await rig.driver.verify(request)()
      const verdict = E.isRight(told) ? told.right : unproved
      return E.right(await answer(rig, verdict, request.sessionId))
    },
  })

export const observing =
  (pass: (observation: Observation, tell: (observation: Observation) => void) => void) =>
  (rig: MemoryRig): Driver => ({
    ...rig.driver,
    watch: (listener) => rig.driver.watch((observation) => pass(observation, listener)),
  })

export const isRenewing = ({ strategy }: RunRequest): boolean =>
  strategy === 'restart' || strategy === 'restore'

export const aliveOnly =
  (change: (verdict: Extract<Verdict, { _tag: 'alive' }>) => Verdict) =>
  (_rig: MemoryRig, verdict: Verdict): Verdict =>
    verdict._tag === 'alive' ? change(verdict) : verdict
