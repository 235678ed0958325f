/**
 * The four interactive triggers: when what is known of the dialogue suggests that a session is stuck.
 *
 * They advise. The engine acts on one only if the driver's evidence agrees (`agrees`): a shell that waits
 * at its own prompt is healthy however long, and what is unknown is never interrupted.
 */
import type { Evidence, Failure, TriggerName } from './failure.js'
import { triggered, triggerReason } from './failure.js'
import type { Foreground } from './foreground.js'
import type { TriggerThreshold } from './policy.js'
import type { Traits } from './session.js'
import type { InteractiveState } from './snapshot.js'

// ------------------------------------------------------------------------------------------ model

/** What the seed's `shouldTriggerInteractiveRecovery` returns. */
export interface TriggerAdvice {
  readonly shouldTrigger: boolean
  readonly reason?: string
  readonly urgency: 'low' | 'medium' | 'high'
}

// ------------------------------------------------------------------------------------ combinators

/**
 * The first trigger that fires, in the seed's order.
 *
 * Ages count from when the thing began (`unresponsiveSince`, `pendingSince`), else from the last
 * success; where neither is known the age is unknown and the rule does not fire.
 *
 * @param nowMs milliseconds since the epoch.
 */
export const firedTrigger = (
  state: InteractiveState,
  nowMs: number,
  thresholds: TriggerThreshold,
): TriggerName | undefined => {
  const lastSuccess = state.lastSuccessfulCommand
  const unresponsiveMs = ageMs(state.unresponsiveSince ?? lastSuccess, nowMs)
  if (state.sessionUnresponsive && unresponsiveMs > thresholds.unresponsiveAfterMs)
    return 'unresponsive'
  if (state.timeoutCount >= thresholds.timeoutCount) return 'timeouts'
  const promptMs = ageMs(state.lastPromptDetected, nowMs)
  if (state.isInteractive && promptMs > thresholds.promptStuckAfterMs) return 'stuck-prompt'
  const pendingMs = ageMs(state.pendingSince ?? lastSuccess, nowMs)
  if (state.pendingCommands.length > 0 && pendingMs > thresholds.pendingAfterMs)
    return 'pending-commands'
  return undefined
}

// An unknown age is younger than every threshold.
const ageMs = (since: Date | undefined, nowMs: number): number =>
  since === undefined ? Number.NEGATIVE_INFINITY : nowMs - since.getTime()

/**
 * The seed's answer: whether interactive recovery is advised, why, and how urgently.
 *
 * @example
 * const state = { ...emptyInteractiveState, timeoutCount: 3 }
 * triggerAdvice(state, 0, defaultPolicy.triggers).reason // => 'Multiple consecutive timeouts detected'
 * triggerAdvice(undefined, 0, defaultPolicy.triggers) // => { shouldTrigger: false, urgency: 'low' }
 */
export const triggerAdvice = (
  state: InteractiveState | undefined,
  nowMs: number,
  thresholds: TriggerThreshold,
): TriggerAdvice => {
  const fired = state === undefined ? undefined : firedTrigger(state, nowMs, thresholds)
  if (fired === undefined) return { shouldTrigger: false, urgency: 'low' }
  const urgent = fired === 'unresponsive' || fired === 'timeouts'
  return { shouldTrigger: true, reason: triggerReason[fired], urgency: urgent ? 'high' : 'medium' }
}

/**
 * Whether what stands in the foreground bears a trigger out. A program that holds somebody's work does
 * not: like a shell it is well at its own prompt, however long.
 */
export const agrees = (foreground: Foreground): boolean =>
  foreground.kind === 'stopped' || awaitsInput(foreground)

/** Whether it waits for somebody to enter something, and is of no use to anybody while it does. */
export const awaitsInput = ({ kind, holdsWork }: Foreground): boolean =>
  (kind === 'waiting-for-line' || kind === 'waiting-for-password') && holdsWork === undefined

/**
 * The failure to act on, if there is one: a trigger fired, nobody sits at the session, and the
 * foreground agrees.
 */
export const stuckFailure = (
  state: InteractiveState,
  foreground: Foreground,
  traits: Traits,
  nowMs: number,
  thresholds: TriggerThreshold,
): Failure | undefined => {
  if (traits.attended || !agrees(foreground)) return undefined
  const fired = firedTrigger(state, nowMs, thresholds)
  if (fired === undefined) return undefined
  const evidence = foreground.reasons.map(
    (detail): Evidence => ({
      source: 'kernel',
      grade: 'observed',
      trusted: true,
      detail,
      atMs: nowMs,
    }),
  )
  return triggered(fired, evidence)
}
