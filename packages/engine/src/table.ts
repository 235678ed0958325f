/**
 * The table compiled from a machine: for each leaf state and event type the transitions to consider, in
 * XState's order. It holds names only, so one machine serves every policy.
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
export interface RowOf<S extends string, G extends string, A extends string> {
  readonly guard?: G
  readonly actions: readonly A[]
  readonly to?: S
}
export type Row = RowOf<SessionStateName, GuardName, ReactionName>

export type TableOf<
  S extends string,
  E extends string,
  G extends string,
  A extends string,
> = Readonly<Record<S, Readonly<Partial<Record<E, readonly RowOf<S, G, A>[]>>>>>
export type Table = TableOf<SessionStateName, EventType, GuardName, ReactionName>

/** Every name that may stand in a machine. */
export interface Names<S, E, G, A> {
  readonly states: readonly S[]
  readonly events: readonly E[]
  readonly guards: readonly G[]
  readonly actions: readonly A[]
}

interface Transition {
  readonly target?: readonly unknown[] | undefined
  readonly actions: readonly unknown[]
  readonly guard?: unknown
}

/** What is read of XState's state nodes, of whatever machine. */
interface Node {
  readonly id: string
  readonly path: readonly string[]
  readonly type: string
  readonly parent?: unknown
  readonly states: object
  readonly initial?: { readonly target: readonly unknown[] }
  readonly transitions: { readonly get: (type: never) => readonly Transition[] | undefined }
  readonly after: readonly unknown[]
  readonly entry: readonly unknown[]
  readonly exit: readonly unknown[]
  readonly always?: readonly unknown[] | undefined
  readonly invoke: readonly unknown[]
}

// ----------------------------------------------------------------------------------- constructors

const known = <K extends string>(names: readonly K[], name: unknown, what: string): K => {
  const found = names.find((candidate) => candidate === name)
  if (found === undefined)
    throw new Error(`the machine has ${what} the table cannot hold: ${String(name)}`)
  return found
}

const stateName = <S extends string>(node: Node, states: readonly S[]): S => {
  const leaf = node.initial?.target[0]
  return leaf === undefined
    ? known(states, node.path.join('.'), 'a state')
    : stateName(leaf as Node, states)
}

const rowOf = <S extends string, E extends string, G extends string, A extends string>(
  transition: Transition,
  names: Names<S, E, G, A>,
): RowOf<S, G, A> => {
  const [target, ...more] = transition.target ?? []
  if (more.length > 0) throw new Error('the machine has a transition with several targets')
  const actions = transition.actions.map((action) => known(names.actions, action, 'an action'))
  return {
    actions,
    ...(transition.guard === undefined
      ? {}
      : { guard: known(names.guards, transition.guard, 'a guard') }),
    ...(target === undefined ? {} : { to: stateName(target as Node, names.states) }),
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

const rowsOf = <S extends string, E extends string, G extends string, A extends string>(
  leaf: Node,
  type: E,
  names: Names<S, E, G, A>,
): readonly RowOf<S, G, A>[] => {
  const rows: RowOf<S, G, A>[] = []
  for (
    let node: Node | undefined = leaf;
    node !== undefined;
    node = node.parent as Node | undefined
  ) {
    const found = node.transitions.get(type as never) ?? []
    rows.push(...found.map((transition) => rowOf(transition, names)))
  }
  return rows
}

const leavesOf = (node: Node): readonly Node[] => {
  refuseUnsupported(node)
  const children = Object.values(node.states) as Node[]
  return children.length === 0 ? [node] : children.flatMap(leavesOf)
}

/** Compiles any machine. Throws where it has something that the table cannot hold. */
export const compiled = <S extends string, E extends string, G extends string, A extends string>(
  root: Node,
  names: Names<S, E, G, A>,
): TableOf<S, E, G, A> => {
  const entries = leavesOf(root).map((leaf) => {
    // A final state still takes the root's transitions in XState; a record that is final takes none.
    const types = leaf.type === 'final' ? [] : names.events
    const rows = types.map((type) => [type, rowsOf(leaf, type, names)] as const)
    const found = Object.fromEntries(rows.filter(([, row]) => row.length > 0))
    return [stateName(leaf, names.states), found] as const
  })
  const missing = names.states.filter((name) => !entries.some(([leaf]) => leaf === name))
  if (missing.length > 0) throw new Error(`the machine lacks the states ${missing.join(', ')}`)
  return Object.fromEntries(entries) as TableOf<S, E, G, A>
}

/**
 * Compiles the machine of a session. Throws where it has something that the table cannot hold.
 *
 * @example
 * Object.keys(compile(sessionMachine(defaultPolicy))).length // => 9
 */
export const compile = (machine: SessionMachine): Table =>
  compiled(machine.root, {
    states: sessionStateNames,
    events: eventTypes,
    guards: guardNames,
    actions: reactionNames,
  })
