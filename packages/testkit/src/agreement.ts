/**
 * One trace, many executions (law 12): through the pure fold, the engine over the memory store, and the
 * engine over the store on a disk, with a crash at every boundary between two commits. What they disagree
 * on, in words.
 */
import { isDeepStrictEqual } from 'node:util'
import { defaultPolicy, type Effect, factsOf, idOf, terminalFacts } from '@session-recovery/core'
import { failureReasons } from './action.js'
import { chance } from './chance.js'
import { diskTraced, engineTraced, memoryTraced, type TracedMedium } from './engine-trace.js'
import { type Decision, folded, type OneTrace, type Stimulus } from './one-trace.js'

// ------------------------------------------------------------------------------------------ model

/** What can be planted to see that a disagreement is found. */
export interface Disagreeing {
  readonly memory?: (trace: OneTrace) => OneTrace
  readonly disk?: (trace: OneTrace) => OneTrace
}

/** What came of one trace. */
export interface Agreement {
  /** Where two executions differ; empty where all agree. */
  readonly differences: readonly string[]
  /** How many executions were compared. */
  readonly executions: number
  readonly commits: number
}

const spacedFromMs = 600_000

const startMs = Date.UTC(2027, 0, 15)

// For the others there are plans with strategies that are not repeated when they are in doubt.
const repeatableReasons = ['', 'connection reset', 'prompt timeout', 'auth'] as const

// ------------------------------------------------------------------------------------ combinators

/**
 * Any trace. In one with `gapMs` of at least ten minutes every incident is over before the next begins,
 * and nothing is done that may not be done twice: then a crash may change nothing that matters.
 */
export const anyTrace = (seed: number, gapMs: number): OneTrace => {
  const pick = chance(seed)
  const spaced = gapMs >= spacedFromMs
  const whats = ['fail', 'fail', 'fail', 'cancel', 'reset', 'unregister'] as const
  const stimuli: Stimulus[] = []
  let afterMs = 0
  for (let i = pick.whole(1, 4); i > 0; i--) {
    afterMs += spaced ? gapMs : pick.whole(0, gapMs)
    const what = pick.pick(whats)
    stimuli.push({ afterMs, what, reason: pick.pick(spaced ? repeatableReasons : failureReasons) })
  }
  const policy = {
    ...defaultPolicy,
    snapshotInterval: 0,
    resumeOnStart: false,
    maxRecoveryAttempts: pick.whole(0, 3),
    recoveryDelay: pick.pick([0, 1_000]),
    enableSmartRecovery: pick.percent(80),
    stableAfterMs: pick.pick([0, 300_000]),
    recoveryTimeout: spaced ? 120_000 : pick.pick([60, 120_000]),
  }
  return { policy, seed, stimuli }
}

const inMemory = (token: string) => `memory:${token}`
const onDisk = (token: string) => `archives/${idOf('archive', token)}.json`

const isSpaced = ({ stimuli }: OneTrace): boolean => (stimuli[0]?.afterMs ?? 0) >= spacedFromMs

/** Carries `trace` out in every way, without a crash and with one after each commit. */
export const agreement = async (
  trace: OneTrace,
  disagreeing: Disagreeing = {},
): Promise<Agreement> => {
  const differences: string[] = []
  let executions = 0
  const compared = async (one: OneTrace): Promise<readonly Decision[]> => {
    const ways: readonly (readonly [string, TracedMedium, OneTrace, typeof onDisk])[] = [
      ['memory', memoryTraced(), disagreeing.memory?.(one) ?? one, inMemory],
      ['disk', diskTraced(trace.seed), disagreeing.disk?.(one) ?? one, onDisk],
    ]
    let last: readonly Decision[] = []
    for (const [name, medium, altered, locationOf] of ways) {
      const found = await engineTraced(altered, medium, startMs)
      const expected = folded(one, startMs, locationOf, found)
      last = expected
      const difference = differenceOf(expected, found)
      executions += 2
      if (difference !== undefined) {
        const where = one.crashAfterCommit === undefined ? 'no' : `commit ${one.crashAfterCommit}`
        differences.push(`the fold and ${name}, crash after ${where}: ${difference}`)
      }
    }
    return last
  }

  const undisturbed = await compared(trace)
  for (let commit = 1; commit <= undisturbed.length; commit++) {
    const crashed = await compared({ ...trace, crashAfterCommit: commit })
    if (!isSpaced(trace)) continue
    const difference = outcomeDifference(undisturbed, crashed)
    if (difference !== undefined) {
      differences.push(`with and without a crash after commit ${commit}: ${difference}`)
    }
  }
  return { differences, executions, commits: undisturbed.length }
}

/** The effects that have a token, each token once, in their order: a repeat is the same effect. */
const effectsOnce = (decisions: readonly Decision[]): readonly Effect[] => {
  const seen = new Set<string>()
  return decisions.flatMap(({ effects }) =>
    effects.filter((effect) => {
      if (!('token' in effect) || effect._tag === 'abort') return false
      const isNew = !seen.has(effect.token)
      seen.add(effect.token)
      return isNew
    }),
  )
}

const differenceOf = (
  expected: readonly Decision[],
  found: readonly Decision[],
): string | undefined => {
  for (const [i, decision] of expected.entries()) {
    const other = found[i]
    const what = `decision ${i + 1} (${decision.event.type})`
    if (other === undefined) return `${what} was not taken`
    if (!isDeepStrictEqual(decision.event, other.event)) {
      return `${what}: ${JSON.stringify(decision.event)} or ${JSON.stringify(other.event)}`
    }
    if (!isDeepStrictEqual(decision.record, other.record)) return `${what} leads to another state`
  }
  if (found.length > expected.length) return `${found.length - expected.length} decisions too many`
  return isDeepStrictEqual(effectsOnce(expected), effectsOnce(found))
    ? undefined
    : 'other effects were asked for'
}

/** What a crash must not change: how every incident ended, what was used, and what acted on the session. */
const outcomeOf = (decisions: readonly Decision[]) => {
  const last = decisions.at(-1)?.record
  const ends = decisions.flatMap(({ effects }) =>
    factsOf({ effects: [...effects] }).flatMap((fact) =>
      terminalFacts.has(fact._tag) && 'incident' in fact ? [`${fact.incident} ${fact._tag}`] : [],
    ),
  )
  // Tokens count what was asked for before them, looks among it: acts are told apart by what they are for.
  const acts = decisions.flatMap(({ effects }) =>
    effects.flatMap((effect) =>
      effect._tag === 'run' ? [`${effect.incident} ${effect.attempt} ${effect.strategy}`] : [],
    ),
  )
  return { state: last?.state, used: last?.control.used, ends, acts: [...new Set(acts)] }
}

const outcomeDifference = (
  undisturbed: readonly Decision[],
  crashed: readonly Decision[],
): string | undefined => {
  const [one, other] = [outcomeOf(undisturbed), outcomeOf(crashed)]
  // What was found well may be `registered` no more, since it was resumed.
  const isSame = isDeepStrictEqual(
    { ...one, state: one.state === 'registered' ? 'snapshotting.idle' : one.state },
    { ...other, state: other.state === 'registered' ? 'snapshotting.idle' : other.state },
  )
  return isSame ? undefined : `${JSON.stringify(one)} or ${JSON.stringify(other)}`
}
