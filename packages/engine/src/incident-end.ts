/**
 * How an incident ended, as the one who waits for it is told.
 */
import type { Fact, FactOf } from '@session-recovery/core'

export type IncidentEnd =
  | {
      readonly _tag: 'recovered'
      readonly incident: number
      readonly fact: FactOf<'incident-recovered'>
      /** Attempts made in this incident. */
      readonly attempts: number
      readonly durable: boolean
    }
  | {
      readonly _tag: 'exhausted'
      readonly incident: number
      readonly fact: FactOf<'incident-exhausted'>
      readonly durable: boolean
    }
  | {
      readonly _tag: 'cancelled'
      readonly incident: number
      readonly why: string
      readonly durable: boolean
    }
  | { readonly _tag: 'stopped'; readonly incident: number }

/** The end that `fact` tells of after `attempts` attempts, if it tells of one. */
export const incidentEnd = (
  fact: Fact,
  attempts: number,
  durable: boolean,
): IncidentEnd | undefined => {
  switch (fact._tag) {
    case 'incident-recovered':
      return { _tag: 'recovered', incident: fact.incident, fact, attempts, durable }
    case 'incident-exhausted':
      return { _tag: 'exhausted', incident: fact.incident, fact, durable }
    case 'incident-cancelled':
      return { _tag: 'cancelled', incident: fact.incident, why: fact.why, durable }
    default:
      return undefined
  }
}
