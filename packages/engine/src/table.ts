/**
 * The table compiled from the machine: for each leaf state and event type the transitions to consider,
 * in XState's order. It holds names only, so one machine serves every policy.
 *
 * Only what the table can express may stand in the machine: named guards and actions on `on` transitions
 * with one target. Anything else is refused here, at start-up, rather than silently ignored.
 */
import {
  type EventType,
  eventTypes,
  type GuardName,
  guardNames,
  type ReactionName,
  reactionNames,
  type SessionStateName,
  sessionStateNames,
} from '@session-recovery/core'
import type { SessionMachine } from './machine.js'

// ------------------------------------------------------------------------------------------ model

/** One transition: taken if its guard holds (or it has none); `to` is absent where nothing moves. */
export interface Row {
  readonly guard?: GuardName
  readonly actions: readonly ReactionName[]
  readonly to?: SessionStateName
}

export type Table = Readonly<
  Record<SessionStateName, Readonly<Partial<Record<EventType, readonly Row[]>>>>
>

type Node = SessionMachine['root']
type Transition = NonNullable<ReturnType<Node['transitions']['get']>>[number]

// ----------------------------------------------------------------------------------- constructors

const known = <K extends string>(names: readonly K[], name: unknown, what: string): K => {
  const found = names.find((candidate) => candidate === name)
  if (found === undefined)
    throw new Error(`the machine has ${what} the table cannot hold: ${String(name)}`)
  return found
}

const stateName = (node: Node): SessionStateName => {
  const leaf = node.initial?.target[0]
  return leaf === undefined
    ? known(sessionStateNames, node.path.join('.'), 'a state')
    : stateName(leaf as Node)
}

const rowOf = (transition: Transition): Row => {
  const [target, ...more] = transition.target ?? []
  if (more.length > 0) throw new Error('the machine has a transition with several targets')
  const actions = transition.actions.map((action) => known(reactionNames, action, 'an action'))
  return {
    actions,
    ...(transition.guard === undefined
      ? {}
      : { guard: known(guardNames, transition.guard, 'a guard') }),
    ...(target === undefined ? {} : { to: stateName(target as Node) }),
  }
}

const refuseUnsupported = (node: Node): void => {
  const parts = { entry: node.entry, exit: node.exit, always: node.always, invoke: node.invoke }
  for (const [part, entries] of Object.entries(parts)) {
    if ((entries?.length ?? 0) > 0)
      throw new Error(`${node.id} has ${part}, which the table cannot hold`)
  }
  if (node.after.length > 0) throw new Error(`${node.id} has after, which the table cannot hold`)
}

const rowsOf = (leaf: Node, type: EventType): readonly Row[] => {
  const rows: Row[] = []
  for (
    let node: Node | undefined = leaf;
    node !== undefined;
    node = node.parent as Node | undefined
  ) {
    rows.push(...(node.transitions.get(type) ?? []).map(rowOf))
  }
  return rows
}

const leavesOf = (node: Node): readonly Node[] => {
  refuseUnsupported(node)
  const children = Object.values(node.states) as Node[]
  return children.length === 0 ? [node] : children.flatMap(leavesOf)
}

/**
 * Compiles the machine. Throws where the machine has something that the table cannot hold.
 *
 * @example
 * Object.keys(compile(sessionMachine(defaultPolicy))).length // => 8
 */
export const compile = (machine: SessionMachine): Table => {
  const leaves = leavesOf(machine.root)
  const entries = leaves.map((leaf) => {
    // A final state still takes the root's transitions in XState; a record that is final takes none.
    const types = leaf.type === 'final' ? [] : eventTypes
    const rows = types.map((type) => [type, rowsOf(leaf, type)] as const)
    return [stateName(leaf), Object.fromEntries(rows.filter(([, row]) => row.length > 0))] as const
  })
  const missing = sessionStateNames.filter((name) => !entries.some(([leaf]) => leaf === name))
  if (missing.length > 0) throw new Error(`the machine lacks the states ${missing.join(', ')}`)
  return Object.fromEntries(entries) as Table
}
