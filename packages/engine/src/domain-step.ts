/**
 * `domainStep`: the whole of a domain's logic, pure, from the table compiled from its machine.
 */
import {
  type DomainEffect,
  type DomainEvent,
  type DomainEventType,
  type DomainGuardName,
  type DomainReactionName,
  type DomainRecord,
  type DomainStateName,
  defaultPolicy,
  domainEventTypes,
  domainGuardNames,
  domainGuards,
  domainReactionNames,
  domainReactions,
  domainStateNames,
  type Policy,
} from '@session-recovery/core'
import { domainMachine } from './domain-machine.js'
import { compiled, type TableOf } from './table.js'

export type DomainStepped = readonly [DomainRecord, readonly DomainEffect[]]
export type DomainStep = (record: DomainRecord, event: DomainEvent) => DomainStepped

export type DomainTable = TableOf<
  DomainStateName,
  DomainEventType,
  DomainGuardName,
  DomainReactionName
>

/** The table of the domain machine: names only, the same whatever the policy. */
export const domainTable = (): DomainTable =>
  compiled(domainMachine(defaultPolicy).root, {
    states: domainStateNames,
    events: domainEventTypes,
    guards: domainGuardNames,
    actions: domainReactionNames,
  })

const table = domainTable()

/**
 * A domain's step under a policy. An event that changes nothing returns the very same record.
 *
 * @param rows another table, of a machine that is not the engine's own.
 */
export const domainStepUnder = (policy: Policy, rows: DomainTable = table): DomainStep => {
  const guardOf = domainGuards(policy)
  const reactionOf = domainReactions(policy)
  return (record, event) => {
    const row = rows[record.state][event.type]?.find(
      ({ guard }) => guard === undefined || guardOf[guard](record.control, event),
    )
    const state = row?.to ?? record.state
    if (row === undefined || (state === record.state && row.actions.length === 0))
      return [record, []]
    let { control } = record
    const effects: DomainEffect[] = []
    for (const name of row.actions) {
      const [changed, asked] = reactionOf[name](control, event)
      control = changed
      effects.push(...asked)
    }
    return [{ v: 1, rev: record.rev + 1, state, control }, effects]
  }
}
