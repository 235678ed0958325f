/**
 * The machine's reactions: what a decision changes in the control state, and what it asks of the world.
 * Each is pure; the machine says which of them a transition takes, in which order.
 */
import {
  beginAttempt,
  beginVerification,
  doubtRun,
  nextStrategy,
  noteMissed,
  openIncident,
  repeatRun,
} from './attempt-reaction.js'
import { laterMs } from './codec.js'
import type { Effect } from './effect.js'
import {
  beginBackoff,
  beginLastResort,
  closeCancelled,
  closeExhausted,
  closeFinal,
  closeRecovered,
  repeatLastResort,
} from './end-reaction.js'
import type { EventOf } from './event.js'
import { hold, letGo, noteProbe } from './hold-reaction.js'
import { without } from './omission.js'
import type { Policy } from './policy.js'
import { at, captureLater, type Reaction, tell } from './reacting.js'
import { type Control, recordVersion, type SessionRecord } from './record.js'

// ------------------------------------------------------------------------------------------ model

export const reactionNames = [
  'beginCapture',
  'endCapture',
  'openIncident',
  'hold',
  'noteProbe',
  'letGo',
  'beginAttempt',
  'noteMissed',
  'nextStrategy',
  'repeatRun',
  'beginVerification',
  'doubtRun',
  'beginBackoff',
  'beginLastResort',
  'repeatLastResort',
  'closeRecovered',
  'closeExhausted',
  'closeCancelled',
  'resetBudget',
  'noteResumed',
  'closeEnded',
  'closeUnregistered',
] as const
export type ReactionName = (typeof reactionNames)[number]

// ----------------------------------------------------------------------------------- constructors

/** The reactions under a policy. */
export const reactions = (policy: Policy): Readonly<Record<ReactionName, Reaction>> => ({
  beginCapture: (control, event) => {
    const token = `capture-${control.incarnation}-${event.atMs}`
    const before = without(control, 'captureToken')
    const due =
      policy.captureTimeoutMs > 0
        ? { ...before, captureAtMs: laterMs(event.atMs, policy.captureTimeoutMs) }
        : without(before, 'captureAtMs')
    return [{ captureToken: token, ...due }, [{ _tag: 'capture', token }]]
  },
  endCapture: (control, event) => [captureLater(control, event.atMs, policy), []],
  openIncident: openIncident(policy),
  hold,
  noteProbe,
  letGo,
  beginAttempt: beginAttempt(policy),
  noteMissed,
  nextStrategy: nextStrategy(policy),
  repeatRun: repeatRun(policy),
  beginVerification,
  doubtRun: doubtRun(policy),
  beginBackoff: beginBackoff(policy),
  beginLastResort: beginLastResort(policy),
  repeatLastResort: repeatLastResort(policy),
  closeRecovered: closeRecovered(policy),
  closeExhausted,
  closeCancelled: closeCancelled(policy),
  resetBudget: (control, event) => [
    {
      ...captureLater(without(control, 'lastEnd'), event.atMs, policy),
      used: 0,
      wellSinceMs: event.atMs,
    },
    [tell({ _tag: 'session-reset' })],
  ],
  noteResumed: at(['resumed'], (control, event) => {
    // The time the app was down neither earns nor costs: only what was seen to be well counts.
    const wellMs = Math.max(0, event.lastSeenMs - (control.wellSinceMs ?? event.lastSeenMs))
    const noted = captureLater(control, event.atMs, policy)
    return [{ ...noted, wellSinceMs: event.atMs - wellMs }, [tell({ _tag: 'session-resumed' })]]
  }),
  closeEnded: at(['ended'], (control, event) => {
    const code = event.exitCode === undefined ? {} : { exitCode: event.exitCode }
    return closeFinal(control, event.atMs, 'the session ended', { _tag: 'session-ended', ...code })
  }),
  closeUnregistered: (control, event) =>
    closeFinal(control, event.atMs, 'the session was unregistered', {
      _tag: 'session-unregistered',
    }),
})

/** The first record of a registration, and what follows from it. */
export const register = (
  sessionId: string,
  incarnation: number,
  event: EventOf<'registered'>,
  policy: Policy,
): readonly [SessionRecord, readonly Effect[]] => {
  const control: Control = {
    sessionId,
    incarnation,
    registeredAtMs: event.atMs,
    traits: event.traits,
    used: 0,
    incidents: 0,
    wellSinceMs: event.atMs,
    ...(event.replaces === undefined ? {} : { replaces: event.replaces }),
  }
  const fact = tell({ _tag: 'session-registered', incarnation, kind: event.traits.kind })
  return [
    {
      v: recordVersion,
      rev: 1,
      state: 'registered',
      control: captureLater(control, event.atMs, policy),
    },
    [fact],
  ]
}
