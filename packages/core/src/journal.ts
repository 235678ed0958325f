/**
 * The journal: the append-only log of every event and decision. An entry holds what is needed to explain
 * a decision (the facts among its effects) and to check it (the event, the step's version, the policy's
 * digest, the revision it led to).
 */
import * as t from 'io-ts'
import { count, epochMs, oneOf, struct, text } from './codec.js'
import { Effect } from './effect.js'
import { SessionEvent } from './event.js'
import type { Fact } from './fact.js'
import { sessionStateNames } from './record.js'

const StateName = oneOf('session state', ...sessionStateNames)

export const JournalEntry = struct(
  'journal entry',
  {
    v: t.literal(1),
    /** Its place among all entries of a store: ever higher; what was refused leaves a gap. */
    seq: count,
    sessionId: text,
    incarnation: count,
    /** The revision this decision led to. */
    rev: count,
    stepVersion: count,
    policyDigest: text,
    /** The wall clock when it was decided, for people; decisions go by the event's own time. */
    wallMs: epochMs,
    event: SessionEvent,
    to: StateName,
    effects: t.array(Effect),
    /** The digest of the record this decision led to. */
    recordDigest: text,
  },
  {
    from: StateName,
    /** The digest of the record the decision before this one led to: shows where one is missing. */
    follows: text,
  },
)
export type JournalEntry = t.TypeOf<typeof JournalEntry>

/** The facts an entry tells, in order. */
export const factsOf = (entry: { readonly effects: readonly Effect[] }): readonly Fact[] => {
  const facts: Fact[] = []
  for (const effect of entry.effects) if (effect._tag === 'tell') facts.push(effect.fact)
  return facts
}
