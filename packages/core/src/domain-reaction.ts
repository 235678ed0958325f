/**
 * The guards and reactions of the domain machine: what a domain asks itself and what it decides, pure. Its
 * machine says which of them a transition takes.
 */
import { laterMs } from './codec.js'
import {
  type DomainControl,
  type DomainEffect,
  type DomainEvent,
  type DomainEventType,
  type DomainFact,
  probeDelayMs,
  probeTokenOf,
} from './domain.js'
import type { Policy } from './policy.js'

// ------------------------------------------------------------------------------------------ model

export const domainGuardNames = [
  'isSuspect',
  'isStaleProbe',
  'isNotDueYet',
  'isReached',
  'wasUnreached',
  'wasReached',
  'isDoubtful',
  'isMissed',
  'isRestored',
  'isLastToWait',
  'isLastToLeave',
  'isDeserted',
] as const
export type DomainGuardName = (typeof domainGuardNames)[number]
export type DomainGuard = (control: DomainControl, event: DomainEvent) => boolean

export const domainReactionNames = [
  'find',
  'wait',
  'leave',
  'go',
  'settle',
  'count',
  'widen',
  'narrow',
  'probe',
  'giveUp',
  'retreat',
  'release',
  'close',
  'refuse',
  'turnAway',
  'renew',
  'admit',
] as const
export type DomainReactionName = (typeof domainReactionNames)[number]
export type DomainReacted = readonly [DomainControl, readonly DomainEffect[]]
export type DomainReaction = (control: DomainControl, event: DomainEvent) => DomainReacted

// ----------------------------------------------------------------------------------------- guards

const has = <T extends DomainEventType>(
  event: DomainEvent,
  type: T,
): event is Extract<DomainEvent, { readonly type: T }> => event.type === type

/** The guards under a policy. */
export const domainGuards = (policy: Policy): Readonly<Record<DomainGuardName, DomainGuard>> => {
  const isDoubtful = ({ misses }: DomainControl) => misses >= policy.domain.suspectAfter
  return {
    /** What befell the session that comes to wait, or what befell others before, is to be looked into. */
    isSuspect: (control, event) => has(event, 'waited') && (event.suspected || isDoubtful(control)),
    isStaleProbe: ({ token }, event) => has(event, 'probed') && event.token !== token,
    isNotDueYet: ({ dueAtMs }, event) => dueAtMs === undefined || event.atMs < dueAtMs,
    isReached: (_, event) => has(event, 'probed') && event.reachable,
    wasUnreached: (_, event) => has(event, 'found') && event.probe?.verdict === 'unreachable',
    wasReached: (_, event) => has(event, 'found') && event.probe?.verdict === 'reachable',
    /** This miss is one too many, and somebody waits whose transport can be tried. */
    isDoubtful: ({ misses, waiting }, event) =>
      has(event, 'settled') &&
      event.how === 'missed' &&
      waiting > 0 &&
      misses + 1 >= policy.domain.suspectAfter,
    isMissed: (_, event) => has(event, 'settled') && event.how === 'missed',
    /** The stages are over: nobody waits, or all that may go at once have their turn. */
    isRestored: ({ waiting, inFlight, window }, event) =>
      has(event, 'settled') &&
      ((waiting === 0 && inFlight <= 1) ||
        (event.how === 'well' && window + 1 >= Math.floor(policy.domain.concurrency))),
    isLastToWait: ({ waiting }) => waiting <= 1,
    isLastToLeave: ({ waiting, inFlight }) => waiting <= 1 && inFlight === 0,
    isDeserted: ({ waiting }) => waiting === 0,
  }
}

// -------------------------------------------------------------------------------------- reactions

const tell = (fact: DomainFact): DomainEffect => ({ _tag: 'tell', fact })

const less = (n: number): number => Math.max(0, n - 1)

const without = <K extends 'token' | 'dueAtMs'>(
  control: DomainControl,
  ...keys: readonly K[]
): DomainControl => {
  const copy = { ...control }
  for (const key of keys) delete copy[key]
  return copy
}

const wellAt = (control: DomainControl, atMs: number): DomainControl => ({
  ...control,
  misses: 0,
  wellAtMs: Math.max(atMs, control.wellAtMs ?? atMs),
})

const settle: DomainReaction = (control) => [{ ...control, inFlight: less(control.inFlight) }, []]

/** One attempt that is over, in a domain that is believed well. */
const counted: DomainReaction = (control, event) => {
  const [settled] = settle(control, event)
  if (!has(event, 'settled') || event.how === 'neither') return [settled, []]
  return [
    event.how === 'well' ? wellAt(settled, event.atMs) : { ...settled, misses: settled.misses + 1 },
    [],
  ]
}

const probing =
  (policy: Policy): DomainReaction =>
  (control, { atMs }) => {
    const token = probeTokenOf(control, atMs)
    const boundMs = policy.domain.probeTimeoutMs
    const deadline = boundMs > 0 ? laterMs(atMs, boundMs) : undefined
    const sent: DomainControl = {
      ...without(control, 'dueAtMs'),
      token,
      probes: control.probes + 1,
      ...(deadline === undefined ? {} : { dueAtMs: deadline }),
    }
    const { tries } = control
    return [
      sent,
      [
        tell({ _tag: 'domain-probing', tries }),
        { _tag: 'probe', token, ...(deadline === undefined ? {} : { deadlineMs: deadline }) },
      ],
    ]
  }

const retreat =
  (policy: Policy): DomainReaction =>
  (control, event) => {
    const tries = control.tries + 1
    const untilMs = laterMs(event.atMs, probeDelayMs(policy, control.domain, tries))
    const detail = has(event, 'probed') ? event.detail : 'it gave no answer in time'
    return [
      { ...without(control, 'token'), tries, window: 0, dueAtMs: untilMs },
      [tell({ _tag: 'domain-opened', tries, detail, untilMs })],
    ]
  }

const find =
  (policy: Policy): DomainReaction =>
  (control, event) => {
    if (!has(event, 'found')) return [control, []]
    const { inFlight, probe } = event
    const found = { ...control, inFlight }
    if (probe?.verdict === 'reachable') {
      return [{ ...wellAt(found, probe.atMs), window: Math.floor(policy.domain.firstStage) }, []]
    }
    if (probe?.verdict !== 'unreachable') return [found, []]
    const { tries, atMs } = probe
    const untilMs = laterMs(atMs, probeDelayMs(policy, control.domain, tries))
    const fact = { _tag: 'domain-opened', tries, detail: 'found so', untilMs } as const
    return [{ ...found, tries, dueAtMs: untilMs }, [tell(fact)]]
  }

const over = (control: DomainControl): DomainControl => ({
  ...without(control, 'token', 'dueAtMs'),
  tries: 0,
})

const abortAwaited = ({ token }: DomainControl): readonly DomainEffect[] =>
  token === undefined ? [] : [{ _tag: 'abort', token }]

/** The reactions under a policy. */
export const domainReactions = (
  policy: Policy,
): Readonly<Record<DomainReactionName, DomainReaction>> => ({
  find: find(policy),
  wait: (control) => [{ ...control, waiting: control.waiting + 1 }, []],
  leave: (control) => [{ ...control, waiting: less(control.waiting) }, []],
  go: (control, event) => {
    const waited = has(event, 'admitted') && event.waited
    const waiting = waited ? less(control.waiting) : control.waiting
    const { inFlight, released } = control
    return [{ ...control, waiting, inFlight: inFlight + 1, released: released + 1 }, []]
  },
  settle,
  count: counted,
  /** One more may be in flight with each that came back: twice as many each time round. */
  widen: (control, event) => {
    const [settled] = counted(control, event)
    const isWell = has(event, 'settled') && event.how === 'well'
    return [isWell ? { ...settled, window: settled.window + 1 } : settled, []]
  },
  narrow: (control, event) => {
    const [settled] = counted(control, event)
    return [{ ...settled, window: Math.max(1, Math.floor(settled.window / 2)) }, []]
  },
  probe: probing(policy),
  giveUp: (control) => [without(control, 'token', 'dueAtMs'), abortAwaited(control)],
  retreat: retreat(policy),
  release: (control, event) => [
    {
      ...wellAt(over(control), event.atMs),
      window: Math.floor(policy.domain.firstStage),
      released: 0,
    },
    [tell({ _tag: 'domain-releasing', waiting: control.waiting })],
  ],
  close: (control) => [
    { ...over(control), window: 0 },
    [...abortAwaited(control), tell({ _tag: 'domain-closed' })],
  ],
  refuse: (control) => [
    { ...over(control), window: 0, misses: 0 },
    [...abortAwaited(control), tell({ _tag: 'domain-refused', waiting: control.waiting })],
  ],
  turnAway: (control) => [control, control.waiting === 0 ? [] : [{ _tag: 'refuse' }]],
  renew: (control) => [{ ...over(control), misses: 0 }, [tell({ _tag: 'domain-renewed' })]],
  admit: (control) => [control, control.waiting === 0 ? [] : [{ _tag: 'admit' }]],
})
