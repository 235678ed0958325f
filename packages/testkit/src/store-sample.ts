/**
 * Small records, entries, snapshots and archives, for tests of stores: each a function of a few numbers, so
 * that what comes back can be told from anything else.
 */
import {
  type Archive,
  type Commit,
  digest,
  type JournalEntry,
  type SessionRecord,
  type SessionStateName,
  type StoredSnapshot,
} from '@session-recovery/core'

// ----------------------------------------------------------------------------------- constructors

/** The record of a session at revision `rev`. */
export const sampleRecord = (
  sessionId: string,
  rev: number,
  incarnation = 1,
  state: SessionStateName = 'registered',
): SessionRecord => ({
  v: 1,
  rev,
  state,
  control: {
    sessionId,
    incarnation,
    registeredAtMs: 1_000,
    traits: {
      kind: 'local',
      attended: false,
      shell: true,
      rerunnable: false,
      failureExitCodes: [137],
      idempotentCommands: [],
    },
    used: 0,
    incidents: 0,
  },
})

/** The journal entry that led to `record`; its place is the record's revision, unless it is given. */
export const sampleEntry = (record: SessionRecord, seq = record.rev): JournalEntry => ({
  v: 1,
  seq,
  sessionId: record.control.sessionId,
  incarnation: record.control.incarnation,
  rev: record.rev,
  stepVersion: 1,
  policyDigest: 'sample',
  wallMs: 1_000 + record.rev,
  event: { type: 'registered', atMs: 1_000 + record.rev, traits: record.control.traits },
  to: record.state,
  effects: [],
  recordDigest: digest(record),
})

/** The commit that leads to revision `rev`. */
export const sampleCommit = (
  sessionId: string,
  rev: number,
  incarnation = 1,
  seq?: number,
): Commit => {
  const record = sampleRecord(sessionId, rev, incarnation)
  return { record, expectedRev: rev - 1, entry: sampleEntry(record, seq) }
}

/** A text that stands in the body of one snapshot and nowhere else. */
export const sampleMark = (sessionId: string, generation: number): string => {
  const hex = Buffer.from(sessionId).toString('hex').slice(0, 40)
  return `mark-${hex}-${generation}-end`
}

export const sampleSnapshot = (
  sessionId: string,
  generation: number,
  incarnation = 1,
  output = '',
): StoredSnapshot => ({
  sessionId,
  incarnation,
  view: {
    generation,
    capturedAtMs: 500 + generation,
    interactive: {
      isInteractive: true,
      pendingCommands: ['ls'],
      sessionUnresponsive: false,
      timeoutCount: 0,
      lastPromptDetected: new Date(1_700_000_000_000 + generation),
    },
  },
  body: {
    sessionId,
    generation,
    text: 'à – 日本 😀 \u0000 \ud800 "quoted"\n',
    mark: sampleMark(sessionId, generation),
    nested: [{ deep: [null, true, -0.5, 1e21, []] }, {}],
    output,
  },
})

export const sampleArchive = (sessionId: string, token: string, generation = 3): Archive => ({
  v: 1,
  sessionId,
  incarnation: 1,
  incident: 1,
  token,
  atMs: 9_000,
  record: sampleRecord(sessionId, 7, 1, 'exhausted'),
  snapshot: sampleSnapshot(sessionId, generation),
})
