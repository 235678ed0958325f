/**
 * `step`: the whole of the logic, pure. From a record and an event to the next record and the effects.
 *
 * An event that changes nothing returns the very same record and no effects. Captures change the state
 * but neither registration nor budget nor incident: they leave the revision alone, are not committed, and
 * every event that is committed replaces what they changed, so that a journal needs no trace of them.
 */
import {
  defaultPolicy,
  type Effect,
  guards,
  isJournalled,
  type Policy,
  reactions,
  type SessionEvent,
  type SessionRecord,
} from '@session-recovery/core'
import { sessionMachine } from './machine.js'
import { compile, type Row, type Table } from './table.js'

export type Stepped = readonly [SessionRecord, readonly Effect[]]
export type Step = (record: SessionRecord, event: SessionEvent) => Stepped

// Names only: the same table whatever the policy.
const table = compile(sessionMachine(defaultPolicy))

/**
 * `step` under a policy, from the table compiled from the machine.
 *
 * @param rows another table, of a machine that is not the engine's own.
 */
export const stepUnder = (policy: Policy, rows: Table = table): Step => {
  const guardOf = guards(policy)
  const reactionOf = reactions(policy)
  const holds = (row: Row, record: SessionRecord, event: SessionEvent): boolean =>
    row.guard === undefined || guardOf[row.guard](record.control, event)

  return (record, event) => {
    const row = rows[record.state][event.type]?.find((candidate) => holds(candidate, record, event))
    const state = row?.to ?? record.state
    if (row === undefined || (state === record.state && row.actions.length === 0))
      return [record, []]
    let control = record.control
    const effects: Effect[] = []
    for (const name of row.actions) {
      const [changed, asked] = reactionOf[name](control, event)
      control = changed
      effects.push(...asked)
    }
    const rev = isJournalled(event.type) ? record.rev + 1 : record.rev
    return [{ v: record.v, rev, state, control }, effects]
  }
}
