/**
 * Watching one session's incident through what the engine tells: when it was noticed, what was tried and
 * how that ended, and how it was over.
 */
import {
  type Fact,
  type FactOf,
  factsOf,
  type Miss,
  type Notice,
  type RecoveryStrategy,
  terminalFacts,
} from '@session-recovery/core'
import type { Engine } from '@session-recovery/engine'

// ------------------------------------------------------------------------------------------ model

/** One strategy that was begun. */
export interface Tried {
  readonly strategy: RecoveryStrategy
  readonly outcome: 'done' | 'verified' | Miss['why']
  readonly detail: string
}

export type End = FactOf<'incident-recovered' | 'incident-exhausted' | 'incident-cancelled'>

export interface Incident {
  /** On the monotonic clock. */
  readonly openedAtMs: number | undefined
  readonly endedAtMs: number | undefined
  readonly failure: string
  readonly tried: readonly Tried[]
  readonly ends: readonly End[]
  readonly attempts: number
}

export interface Watch {
  readonly incident: () => Incident
  /** Resolves when an incident is over, or `false` after `withinMs`. */
  readonly over: (withinMs: number) => Promise<boolean>
}

// ----------------------------------------------------------------------------------- constructors

const nothing: Incident = {
  openedAtMs: undefined,
  endedAtMs: undefined,
  failure: '',
  tried: [],
  ends: [],
  attempts: 0,
}

/** @param onBackoff called when an attempt has failed and another will follow. */
export const watchOf = (engine: Engine, sessionId: string, onBackoff: () => void): Watch => {
  let incident = nothing
  let wake = (): void => {}
  engine.subscribe((notice: Notice) => {
    if (notice._tag !== 'decided' || notice.entry.sessionId !== sessionId) return
    for (const fact of factsOf(notice.entry)) {
      incident = after(incident, fact, performance.now())
      if (fact._tag === 'backoff-began') onBackoff()
    }
    if (incident.ends.length > 0) wake()
  })
  return {
    incident: () => incident,
    over: (withinMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve(false), withinMs)
        wake = () => {
          clearTimeout(timer)
          resolve(true)
        }
        if (incident.ends.length > 0) wake()
      }),
  }
}

// ------------------------------------------------------------------------------------ combinators

const after = (before: Incident, fact: Fact, nowMs: number): Incident => {
  if (terminalFacts.has(fact._tag)) {
    const end = fact as End
    const tried =
      end._tag === 'incident-recovered' ? outcomeOfLast(before.tried, 'verified') : before.tried
    return { ...before, tried, endedAtMs: nowMs, ends: [...before.ends, end] }
  }
  switch (fact._tag) {
    case 'incident-opened':
      return { ...before, openedAtMs: nowMs, failure: fact.failure.reason }
    case 'attempt-started':
      return { ...before, attempts: fact.attempt }
    case 'strategy-done': {
      const { strategy, detail } = fact
      return { ...before, tried: [...before.tried, { strategy, outcome: 'done', detail }] }
    }
    case 'strategy-missed': {
      const { strategy, why, detail } = fact.miss
      const done = before.tried.at(-1)
      const isSame = why === 'unproved' && done?.strategy === strategy && done.outcome === 'done'
      const earlier = isSame ? before.tried.slice(0, -1) : before.tried
      return { ...before, tried: [...earlier, { strategy, outcome: why, detail }] }
    }
    default:
      return before
  }
}

const outcomeOfLast = (tried: readonly Tried[], outcome: Tried['outcome']): readonly Tried[] => {
  const last = tried.at(-1)
  return last === undefined ? tried : [...tried.slice(0, -1), { ...last, outcome }]
}
