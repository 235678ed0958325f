/**
 * Registering a session in a store that no engine has open: the record and the journal entry that an engine
 * would have committed. An import and the restoring of an archive begin so.
 */
import {
  digest,
  type JournalEntry,
  type SessionRecord,
  stepVersion,
  type Traits,
} from '@session-recovery/core'

export interface Registration {
  readonly sessionId: string
  readonly incarnation: number
  readonly traits: Traits
  /** When it is registered, in engine time. */
  readonly atMs: number
  readonly wallMs: number
  readonly seq: number
  /** Stands where an engine names its policy: who registered it. */
  readonly by: 'import' | 'restore'
}

/** The first record of an incarnation, and the entry that leads to it. */
export const registrationOf = ({
  sessionId,
  incarnation,
  traits,
  atMs,
  wallMs,
  seq,
  by,
}: Registration): { readonly record: SessionRecord; readonly entry: JournalEntry } => {
  const record: SessionRecord = {
    v: 1,
    rev: 1,
    state: 'registered',
    control: { sessionId, incarnation, registeredAtMs: atMs, traits, used: 0, incidents: 0 },
  }
  const fact = { _tag: 'session-registered', incarnation, kind: traits.kind } as const
  const entry: JournalEntry = {
    v: 1,
    seq,
    sessionId,
    incarnation,
    rev: record.rev,
    stepVersion,
    policyDigest: by,
    wallMs,
    event: { type: 'registered', atMs, traits },
    to: record.state,
    effects: [{ _tag: 'tell', fact }],
    recordDigest: digest(record),
  }
  return { record, entry }
}
