/**
 * Who may try to log in. A credential that was refused is not tried again until it changed or the app
 * asks for it; and of many that want to log in at once with one that may have been changed meanwhile, one
 * goes first and the others take its answer: no account is locked by a hundred sessions that were lost.
 */
import type { Clock } from '@session-recovery/core'
import type { StartFailure } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { type Bound, settledWithin } from './bound.js'

// ------------------------------------------------------------------------------------------ model

export interface Door {
  /** What stands for the credential. */
  readonly mark: string
  /** The host it is tried at. */
  readonly place: string
  /** The app asked for it: what was refused may be tried once more. */
  readonly again: boolean
  /** How long the answer of another who tries it is waited for. */
  readonly bound: Omit<Bound, 'clock'>
}

export interface Admission {
  /** Tries to log in, unless it is known what would come of it. */
  readonly enter: <A>(
    door: Door,
    attempt: () => Promise<E.Either<StartFailure, A>>,
  ) => Promise<E.Either<StartFailure, A>>
}

/** Said of an attempt that nobody wanted any more: it tells nothing about others. */
export const calledOff: StartFailure = { detail: 'called off' }

/** Said of an attempt whose bound passed while another was tried: it tells nothing about others, too. */
export const notInTime: StartFailure = { detail: 'another login with it was not answered in time' }

// So long after it was let in a credential is taken to be good.
const provenForMs = 10_000

// ----------------------------------------------------------------------------------- constructors

export const admissionOf = (clock: Clock): Admission => {
  const refused = new Map<string, StartFailure>()
  const provenUntilMs = new Map<string, number>()
  const first = new Map<string, Promise<E.Either<StartFailure, unknown>>>()
  const settled = <A>(mark: string, key: string, outcome: E.Either<StartFailure, A>) => {
    if (E.isRight(outcome)) provenUntilMs.set(key, clock.monotonicMs() + provenForMs)
    else if (outcome.left.credentialRefused === true) {
      refused.set(mark, outcome.left)
      provenUntilMs.delete(key)
    }
    return outcome
  }
  return {
    enter: async ({ mark, place, again, bound }, attempt) => {
      if (again) refused.delete(mark)
      // What one host refuses is tried at none; what one lets in may be another's wrong password.
      const key = `${mark} ${place}`
      for (;;) {
        const known = refused.get(mark)
        if (known !== undefined) return E.left(known)
        const isProven = clock.monotonicMs() < (provenUntilMs.get(key) ?? Number.NEGATIVE_INFINITY)
        if (isProven) return settled(mark, key, await attempt())
        const other = first.get(key)
        if (other === undefined) {
          // Settled before anybody who waits is told.
          const own = attempt()
            .then((outcome) => settled(mark, key, outcome))
            .finally(() => first.delete(key))
          first.set(key, own)
          return own
        }
        const told = await settledWithin({ ...bound, clock }, other)
        if (told._tag !== 'seen') return E.left(told._tag === 'cancelled' ? calledOff : notInTime)
        if (E.isLeft(told.value) && told.value.left !== calledOff) return told.value
      }
    },
  }
}
