/**
 * What simulations reached: states of a session, rows of the machine's table that move it, rules of the
 * planner, kinds of fault. What was never reached was never tried.
 */
import {
  type DomainEvent,
  type DomainRecord,
  type DomainStateName,
  defaultPlanRules,
  defaultPolicy,
  domainGuards,
  domainStateNames,
  freshDomain,
  guards,
  isForgettable,
  type JournalEntry,
  type Policy,
  type SessionEvent,
  type SessionRecord,
  type SessionStateName,
  sessionStateNames,
} from '@session-recovery/core'
import { compile, domainTable, type RowOf, sessionMachine } from '@session-recovery/engine'
import { type FaultKind, faultsOf, type StoreKind } from './fault.js'

// ------------------------------------------------------------------------------------------ model

/** How often each was reached, by name. */
export interface Coverage {
  readonly states: Readonly<Record<string, number>>
  readonly transitions: Readonly<Record<string, number>>
  readonly rules: Readonly<Record<string, number>>
  readonly faults: Readonly<Record<string, number>>
}

export const coverageKinds = ['states', 'transitions', 'rules', 'faults'] as const

export const noCoverage: Coverage = { states: {}, transitions: {}, rules: {}, faults: {} }

const table = compile(sessionMachine(defaultPolicy))
const tableOfDomains = domainTable()

const nameOf = (state: string, event: string, row: RowOf<string, string, string>): string =>
  `${state} × ${event}${row.guard === undefined ? '' : ` [${row.guard}]`} → ${row.to ?? state}`

const unreachable: ReadonlySet<string> = new Set([
  // A last resort is an archive, which is not verified.
  'recovering.verifying × due [isLastResort] → exhausted',
  // What is stored is never in the midst of a capture.
  'snapshotting.capturing × resumed → snapshotting.idle',
])

const domainState = (state: DomainStateName): string => `domain.${state}`

const moves = (state: string, row: RowOf<string, string, string>): boolean =>
  row.actions.length > 0 || (row.to !== undefined && row.to !== state)

const namesOf = (
  state: string,
  name: string,
  byEvent: Readonly<Record<string, readonly RowOf<string, string, string>[]>>,
): readonly string[] =>
  Object.entries(byEvent).flatMap(([event, rows]) =>
    rows
      .filter((row) => moves(state, row))
      .map((row) => nameOf(name, event, row))
      .filter((one) => !unreachable.has(one)),
  )

/** The rows of the tables that change something and that an engine can come to. */
export const reachableTransitions: readonly string[] = [
  ...sessionStateNames.flatMap((state) => namesOf(state, state, table[state])),
  ...domainStateNames.flatMap((state) => namesOf(state, domainState(state), tableOfDomains[state])),
]

// ------------------------------------------------------------------------------------ combinators

/** Both together. */
export const addCoverage = (a: Coverage, b: Coverage): Coverage => {
  const sum = (kind: (typeof coverageKinds)[number]) => {
    const counts: Record<string, number> = { ...a[kind] }
    for (const [name, times] of Object.entries(b[kind])) counts[name] = (counts[name] ?? 0) + times
    return counts
  }
  return {
    states: sum('states'),
    transitions: sum('transitions'),
    rules: sum('rules'),
    faults: sum('faults'),
  }
}

/** Everything there is to reach. */
export const reachable = (stores: readonly StoreKind[]) => ({
  states: [...sessionStateNames, ...domainStateNames.map(domainState)],
  transitions: reachableTransitions,
  rules: defaultPlanRules.map(({ name }) => name),
  faults: [...new Set(stores.flatMap(faultsOf))],
})

/** What was never reached, each with its kind. */
export const notReached = (coverage: Coverage, stores: readonly StoreKind[]): readonly string[] => {
  const all: Readonly<Record<string, readonly string[]>> = reachable(stores)
  return coverageKinds.flatMap((kind) =>
    (all[kind] ?? [])
      .filter((name) => coverage[kind][name] === undefined)
      .map((name) => `${kind}: ${name}`),
  )
}

// --------------------------------------------------------------------------------------- collecting

/** Collects what one simulation reaches. */
export class Reached {
  readonly #guardOf: ReturnType<typeof guards>
  readonly #states = new Map<string, number>()
  readonly #transitions = new Map<string, number>()
  readonly #rules = new Map<string, number>()
  /** The state a capture was begun in, and its token, of each session that is being captured. */
  readonly #capturing = new Map<string, string>()
  readonly #domainGuardOf: ReturnType<typeof domainGuards>
  readonly #domains = new Map<string, DomainRecord>()
  readonly #lastState = new Map<string, SessionStateName>()

  constructor(policy: Policy) {
    this.#guardOf = guards(policy)
    this.#domainGuardOf = domainGuards(policy)
  }

  /** A life of the engine begins: what was being captured is captured no more. */
  begin(): void {
    this.#capturing.clear()
    this.#lastState.clear()
    this.#domains.clear()
  }

  /** @param before the record it was decided on; `undefined` where that is not known. */
  decided(entry: JournalEntry, record: SessionRecord, before: SessionRecord | undefined): void {
    const { sessionId, event, from } = entry
    this.#capturing.delete(sessionId)
    this.#lastState.set(sessionId, record.state)
    count(this.#states, record.state)
    for (const effect of entry.effects) {
      if (effect._tag === 'tell' && effect.fact._tag === 'incident-opened') {
        count(this.#rules, effect.fact.rule)
      }
    }
    if (from === undefined || before === undefined) return
    const rows = table[from][event.type] ?? []
    const row = rows.find(
      ({ guard }) => guard === undefined || this.#guardOf[guard](before.control, event),
    )
    if (row !== undefined) count(this.#transitions, nameOf(from, event.type, row))
  }

  domainDecided(event: DomainEvent, from: DomainStateName, record: DomainRecord): void {
    const { domain } = record.control
    count(this.#states, domainState(record.state))
    const { control } = this.#domains.get(domain) ?? freshDomain(domain)
    const row = tableOfDomains[from][event.type]?.find(
      ({ guard }) => guard === undefined || this.#domainGuardOf[guard](control, event),
    )
    if (row !== undefined) count(this.#transitions, nameOf(domainState(from), event.type, row))
    if (isForgettable(record)) this.#domains.delete(domain)
    else this.#domains.set(domain, record)
  }

  // Captures are decided without being told: the machine's rows are known by what follows from them.

  captureBegan(sessionId: string, token: string): void {
    const from = this.#lastState.get(sessionId) ?? 'snapshotting.idle'
    this.#capturing.set(sessionId, token)
    this.#lastState.set(sessionId, 'snapshotting.idle')
    count(this.#states, 'snapshotting.capturing')
    this.#row(from, 'captureDue', 'snapshotting.capturing')
  }

  /** @param how what ended it: its answer, or that there was none in time. */
  captureEnded(
    sessionId: string,
    how: 'captured' | 'captureFailed' | 'captureDue',
    token?: string,
  ): void {
    const begun = this.#capturing.get(sessionId)
    if (begun === undefined || (token !== undefined && token !== begun)) return
    this.#capturing.delete(sessionId)
    this.#row('snapshotting.capturing', how, 'snapshotting.idle')
  }

  coverage(faults: ReadonlyMap<FaultKind, number>): Coverage {
    return {
      states: Object.fromEntries(this.#states),
      transitions: Object.fromEntries(this.#transitions),
      rules: Object.fromEntries(this.#rules),
      faults: Object.fromEntries(faults),
    }
  }

  #row(from: SessionStateName, event: SessionEvent['type'], to: SessionStateName): void {
    const row = table[from][event]?.find((one) => moves(from, one) && one.to === to)
    if (row !== undefined) count(this.#transitions, nameOf(from, event, row))
  }
}

const count = (counts: Map<string, number>, name: string): void => {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
