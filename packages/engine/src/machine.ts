/**
 * The session machine: the four states a session is in, and which of core's guards and reactions each
 * transition takes. It is data: what runs in production is the table compiled from it (`table.ts`), what
 * the Stately inspector draws is the machine itself, and a test proves that the two agree.
 *
 * There is no `after` and no `invoke`: deadlines and pending work are data in the record, so a machine
 * that is restored has lost nothing. Timers are armed from the record after every step.
 */
import {
  type Control,
  type Effect,
  type GuardName,
  guardNames,
  guards,
  type Policy,
  type ReactionName,
  reactionNames,
  reactions,
  type SessionEvent,
} from '@session-recovery/core'
import { setup } from 'xstate'

/** A record of what `make` gives for each of `names`. */
export const named = <K extends string, V>(
  names: readonly K[],
  make: (name: K) => V,
): Record<K, V> => Object.fromEntries(names.map((name) => [name, make(name)])) as Record<K, V>

const stale = { guard: 'isStale' } as const

/** What follows when a strategy missed: the next one, another attempt, or the last resort. */
const whenMissed = [
  {
    guard: 'hasNext',
    target: '#attempting',
    reenter: true,
    actions: ['noteMissed', 'nextStrategy'],
  },
  { guard: 'mayRetry', target: '#backingOff', actions: ['noteMissed', 'beginBackoff'] },
  { target: '#attempting', reenter: true, actions: ['noteMissed', 'beginLastResort'] },
] as const

/** A deadline may be asked about early; then nothing happens. */
const whenDue = [
  { guard: 'isNotDue' },
  { guard: 'isLastResort', target: '#exhausted', actions: ['closeExhausted'] },
  ...whenMissed,
] as const

/** What a session that is believed well answers to; the same in `registered` and `snapshotting`. */
const whileWell = {
  failed: [
    { guard: 'mustWait', target: '#held', actions: ['openIncident', 'hold'] },
    { guard: 'mayAttempt', target: '#attempting', actions: ['openIncident', 'beginAttempt'] },
    { target: '#attempting', actions: ['openIncident', 'beginLastResort'] },
  ],
  resumed: { target: '#idle', actions: ['noteResumed'] },
  ended: { target: '#unregistered', actions: ['closeEnded'] },
} as const

const recoveringStates = {
  held: {
    id: 'held',
    on: {
      probed: { actions: ['noteProbe'] },
      released: [
        { guard: 'mayBegin', target: '#attempting', actions: ['letGo', 'beginAttempt'] },
        { target: '#attempting', actions: ['letGo', 'beginLastResort'] },
      ],
    },
  },
  attempting: {
    id: 'attempting',
    on: {
      acted: [
        stale,
        { guard: 'isDone', target: '#verifying', actions: ['beginVerification'] },
        ...whenMissed,
      ],
      archived: [stale, { target: '#exhausted', actions: ['closeExhausted'] }],
      due: whenDue,
      resumed: [
        {
          guard: 'isLastResort',
          target: '#attempting',
          reenter: true,
          actions: ['repeatLastResort'],
        },
        { target: '#verifying', actions: ['doubtRun'] },
      ],
    },
  },
  verifying: {
    id: 'verifying',
    on: {
      verified: [
        stale,
        { guard: 'isProved', target: '#idle', actions: ['closeRecovered'] },
        { guard: 'mayRepeat', target: '#attempting', actions: ['repeatRun'] },
        ...whenMissed,
      ],
      due: whenDue,
      resumed: { target: '#verifying', reenter: true, actions: ['doubtRun'] },
    },
  },
  backingOff: {
    id: 'backingOff',
    on: {
      due: [
        { guard: 'isNotDue' },
        { guard: 'sharesFate', target: '#held', actions: ['hold'] },
        { target: '#attempting', actions: ['beginAttempt'] },
      ],
    },
  },
} as const

/** The machine of one session under `policy`; its input is the control state to start from. */
export const sessionMachine = (policy: Policy) => {
  const guardOf = guards(policy)
  const reactionOf = reactions(policy)
  const guardNamed =
    (name: GuardName) =>
    ({ context, event }: { context: Control; event: SessionEvent }) =>
      guardOf[name](context, event)
  const base = setup({
    types: {
      context: {} as Control,
      events: {} as SessionEvent,
      input: {} as Control,
    },
    // Inert: it carries an effect out as data. The interpreter acts, after the commit.
    actions: { effect: (_, _effect: Effect) => {} },
    guards: named(guardNames, guardNamed),
  })
  const react = (name: ReactionName) =>
    base.enqueueActions(({ context, event, enqueue }) => {
      const [control, effects] = reactionOf[name](context, event)
      enqueue.assign(replacing(context, control))
      for (const effect of effects) enqueue({ type: 'effect', params: effect })
    })
  return base.extend({ actions: named(reactionNames, react) }).createMachine({
    id: 'session',
    context: ({ input }) => input,
    initial: 'registered',
    on: { unregistered: { target: '#unregistered', actions: ['closeUnregistered'] } },
    states: {
      registered: {
        on: {
          ...whileWell,
          captureDue: { target: '#capturing', actions: ['beginCapture'] },
        },
      },
      snapshotting: {
        initial: 'idle',
        on: whileWell,
        states: {
          idle: {
            id: 'idle',
            on: { captureDue: { target: '#capturing', actions: ['beginCapture'] } },
          },
          capturing: {
            id: 'capturing',
            on: {
              captureDue: [{ guard: 'isNotDue' }, { target: '#idle', actions: ['endCapture'] }],
              captured: [stale, { target: '#idle', actions: ['endCapture'] }],
              captureFailed: [stale, { target: '#idle', actions: ['endCapture'] }],
            },
          },
        },
      },
      recovering: {
        initial: 'attempting',
        on: { cancelled: { target: '#idle', actions: ['closeCancelled'] } },
        states: recoveringStates,
      },
      exhausted: {
        id: 'exhausted',
        on: { reset: { target: '#idle', actions: ['resetBudget'] } },
      },
      unregistered: { id: 'unregistered', type: 'final' },
    },
  })
}

export type SessionMachine = ReturnType<typeof sessionMachine>

/** XState's `assign` merges; a field that is gone must be named to go. */
export const replacing = <C extends object>(before: C, after: C): C => ({
  ...Object.fromEntries(Object.keys(before).map((key) => [key, undefined])),
  ...after,
})
