/**
 * `step` through XState itself: what the compiled table stands in for, and is measured beside.
 */
import type { Control, Effect, Policy, SessionStateName } from '@session-recovery/core'
import { isJournalled } from '@session-recovery/core'
import { type Step, sessionMachine } from '@session-recovery/engine'
import { transition } from 'xstate'

const stateValue = (name: SessionStateName) => {
  const [parent = name, child] = name.split('.')
  return child === undefined ? parent : { [parent]: child }
}

const nameOf = (value: string | object): SessionStateName => {
  if (typeof value === 'string') return value as SessionStateName
  const [[parent, child] = []] = Object.entries(value)
  return `${parent}.${child}` as SessionStateName
}

/** XState's `assign` leaves a field that is gone behind as `undefined`; no record holds one. */
const defined = (context: Control): Control =>
  Object.fromEntries(
    Object.entries(context).filter(([, value]) => value !== undefined),
  ) as unknown as Control

/** The same decisions as `stepUnder`, by XState's pure `transition`. */
export const xstateStep = (policy: Policy): Step => {
  const machine = sessionMachine(policy)
  const restored = (state: SessionStateName, context: Control) =>
    machine.resolveState({ value: stateValue(state), context })
  return (record, event) => {
    const before = restored(record.state, record.control)
    const [next, actions] = transition(machine, before, event)
    const effects: Effect[] = []
    for (const action of actions) {
      if (action.type === 'effect') effects.push(action.params as unknown as Effect)
    }
    if (next === before) return [record, []]
    const state = nameOf(next.value)
    const isUnchanged = state === record.state && actions.length === 0
    if (isUnchanged && next.context === before.context) return [record, []]
    const rev = isJournalled(event.type) ? record.rev + 1 : record.rev
    return [{ v: record.v, rev, state, control: defined(next.context) }, effects]
  }
}
