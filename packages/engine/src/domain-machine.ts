/**
 * The domain machine: the states of what sessions fail together by, and which of core's guards and
 * reactions each transition takes. As of sessions, it is data: what runs is the table compiled from it,
 * what the Stately inspector draws is the machine itself, and a test proves that the two agree.
 */
import {
  type DomainControl,
  type DomainEffect,
  type DomainEvent,
  type DomainGuardName,
  type DomainReactionName,
  domainGuardNames,
  domainGuards,
  domainReactionNames,
  domainReactions,
  type Policy,
} from '@session-recovery/core'
import { setup } from 'xstate'
import { named, replacing } from './machine.js'

const whenRefused = { target: '#refused', actions: ['refuse', 'turnAway'] } as const

const states = {
  closed: {
    id: 'closed',
    on: {
      refused: whenRefused,
      found: [
        { guard: 'wasUnreached', target: '#open', actions: ['find'] },
        { guard: 'wasReached', target: '#releasing', actions: ['find'] },
        { actions: ['find'] },
      ],
      waited: [
        { guard: 'isSuspect', target: '#probing', actions: ['wait', 'probe'] },
        { actions: ['wait', 'admit'] },
      ],
      left: { actions: ['leave'] },
      admitted: { actions: ['go'] },
      settled: [
        { guard: 'isDoubtful', target: '#probing', actions: ['count', 'probe'] },
        { actions: ['count', 'admit'] },
      ],
    },
  },
  probing: {
    id: 'probing',
    on: {
      refused: whenRefused,
      waited: { actions: ['wait'] },
      left: [
        { guard: 'isLastToWait', target: '#closed', actions: ['leave', 'close'] },
        { actions: ['leave'] },
      ],
      settled: { actions: ['settle'] },
      probed: [
        { guard: 'isStaleProbe' },
        { guard: 'isReached', target: '#releasing', actions: ['release', 'admit'] },
        { target: '#open', actions: ['retreat'] },
      ],
      due: [{ guard: 'isNotDueYet' }, { target: '#open', actions: ['giveUp', 'retreat'] }],
    },
  },
  open: {
    id: 'open',
    on: {
      refused: whenRefused,
      waited: { actions: ['wait'] },
      left: { actions: ['leave'] },
      settled: { actions: ['settle'] },
      due: [
        { guard: 'isNotDueYet' },
        { guard: 'isDeserted', target: '#closed', actions: ['close'] },
        { target: '#probing', actions: ['probe'] },
      ],
      renewed: [
        { guard: 'isDeserted', target: '#closed', actions: ['renew', 'close'] },
        { target: '#probing', actions: ['renew', 'probe'] },
      ],
    },
  },
  releasing: {
    id: 'releasing',
    on: {
      refused: whenRefused,
      waited: { actions: ['wait', 'admit'] },
      left: [
        { guard: 'isLastToLeave', target: '#closed', actions: ['leave', 'close'] },
        { actions: ['leave'] },
      ],
      admitted: { actions: ['go'] },
      settled: [
        { guard: 'isDoubtful', target: '#probing', actions: ['count', 'probe'] },
        { guard: 'isRestored', target: '#closed', actions: ['count', 'close', 'admit'] },
        { guard: 'isMissed', actions: ['narrow', 'admit'] },
        { actions: ['widen', 'admit'] },
      ],
    },
  },
  refused: {
    id: 'refused',
    on: {
      waited: { actions: ['wait', 'turnAway'] },
      left: { actions: ['leave'] },
      settled: { actions: ['settle'] },
      renewed: { target: '#closed', actions: ['renew', 'close', 'admit'] },
    },
  },
} as const

/** The machine of one domain under `policy`; its input is the control state to start from. */
export const domainMachine = (policy: Policy) => {
  const guardOf = domainGuards(policy)
  const reactionOf = domainReactions(policy)
  const base = setup({
    types: {
      context: {} as DomainControl,
      events: {} as DomainEvent,
      input: {} as DomainControl,
    },
    // Inert: it carries an effect out as data.
    actions: { effect: (_, _effect: DomainEffect) => {} },
    guards: named(
      domainGuardNames,
      (name: DomainGuardName) =>
        ({ context, event }: { context: DomainControl; event: DomainEvent }) =>
          guardOf[name](context, event),
    ),
  })
  const react = (name: DomainReactionName) =>
    base.enqueueActions(({ context, event, enqueue }) => {
      const [control, effects] = reactionOf[name](context, event)
      enqueue.assign(replacing(context, control))
      for (const effect of effects) enqueue({ type: 'effect', params: effect })
    })
  return base.extend({ actions: named(domainReactionNames, react) }).createMachine({
    id: 'domain',
    context: ({ input }) => input,
    initial: 'closed',
    states,
  })
}

export type DomainMachine = ReturnType<typeof domainMachine>
