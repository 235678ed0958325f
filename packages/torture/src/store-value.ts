/** What is stored at each place of a session's life: the same in every run, so that it is known by heart. */
import {
  type Archive,
  type Commit,
  digest,
  type JournalEntry,
  type SessionRecord,
  type StoredSnapshot,
} from '@session-recovery/core'
import { incarnationAt, revAt } from './store-history.js'

// ------------------------------------------------------------------------------------------ model

const traits = {
  kind: 'local',
  attended: false,
  shell: true,
  rerunnable: false,
  failureExitCodes: [137],
  idempotentCommands: [],
} as const

// Over several pages of the disk, and over the end of one: what is torn must have where to tear.
const outputs = 30_000
const spread = 7_919

// ----------------------------------------------------------------------------------- constructors

export const recordAt = (sessionId: string, place: number): SessionRecord => ({
  v: 1,
  rev: revAt(place),
  state: 'registered',
  control: {
    sessionId,
    incarnation: incarnationAt(place),
    registeredAtMs: 1_000,
    traits: { ...traits, failureExitCodes: [...traits.failureExitCodes], idempotentCommands: [] },
    used: 0,
    incidents: 0,
  },
})

export const entryAt = (sessionId: string, place: number, seq: number): JournalEntry => {
  const record = recordAt(sessionId, place)
  return {
    v: 1,
    seq,
    sessionId,
    incarnation: record.control.incarnation,
    rev: record.rev,
    stepVersion: 1,
    policyDigest: 'torture',
    wallMs: 1_000 + place,
    event: { type: 'registered', atMs: 1_000 + place, traits: record.control.traits },
    to: record.state,
    effects: [],
    recordDigest: digest(record),
  }
}

export const commitAt = (sessionId: string, place: number, seq: number): Commit => ({
  record: recordAt(sessionId, place),
  expectedRev: revAt(place) - 1,
  entry: entryAt(sessionId, place, seq),
})

export const snapshotAt = (sessionId: string, place: number): StoredSnapshot => ({
  sessionId,
  incarnation: incarnationAt(place),
  view: { generation: place, capturedAtMs: 500 + place },
  body: { sessionId, place, output: 'o'.repeat(200 + ((place * spread) % outputs)) },
})

export const archiveAt = (sessionId: string, place: number): Archive => ({
  v: 1,
  sessionId,
  incarnation: incarnationAt(place),
  incident: 1,
  token: `${sessionId} ${place}`,
  atMs: 9_000 + place,
  record: recordAt(sessionId, place),
  snapshot: snapshotAt(sessionId, place),
})
