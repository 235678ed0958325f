/**
 * The ports: what the engine needs of the world, as types. Adapters implement them and translate at
 * their edge; results are `TaskEither` over closed unions with a stable `_tag`.
 */
import type * as TE from 'fp-ts/lib/TaskEither.js'
import type { Json } from './codec.js'
import type { ProbeVerdict } from './domain.js'
import type { RunOutcome, Verdict } from './event.js'
import type { Exit, Failure, Grade } from './failure.js'
import type { Foreground } from './foreground.js'
import type { JournalEntry } from './journal.js'
import type { RecoveryPlan } from './planner.js'
import type { Policy } from './policy.js'
import type { SessionRecord } from './record.js'
import type { Traits } from './session.js'
import type { Showing } from './showing.js'
import type { PlanningView, RecoverySnapshot, SnapshotUpdate } from './snapshot.js'
import type { RecoveryStrategy } from './strategy.js'

// ------------------------------------------------------------------------------------------ clock

/** Time and timers. Durations are measured on the monotonic clock; the wall clock is for people. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  readonly wallMs: () => number
  /** Milliseconds that never run backwards; its zero has no meaning. */
  readonly monotonicMs: () => number
  /**
   * Runs `task` once, `delayMs` from now, however long that is; returns what cancels it.
   * Implementations chain what a platform timer cannot hold.
   */
  readonly schedule: (delayMs: number, task: () => void) => () => void
}

// ----------------------------------------------------------------------------------------- logger

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type Logger = (level: LogLevel, message: string, detail?: unknown) => void

// ------------------------------------------------------------------------------------------ store

/** Two writers, or a writer with an old record: the commit was refused and nothing changed. */
export interface RevisionConflict {
  readonly _tag: 'RevisionConflict'
  readonly sessionId: string
  readonly expectedRev: number
  readonly actualRev: number
  readonly message: string
}

/** The medium refused: nothing of this call is acknowledged. */
export interface StoreUnavailable {
  readonly _tag: 'StoreUnavailable'
  readonly operation: string
  /** The system's code, e.g. `ENOSPC`, where there is one. */
  readonly code?: string
  readonly message: string
}

/** Another engine owns the store, or took it over. */
export interface StoreOwned {
  readonly _tag: 'StoreOwned'
  readonly message: string
}

/** What is stored cannot be used: a newer format, or a place that must not be used. */
export interface StoreUnusable {
  readonly _tag: 'StoreUnusable'
  readonly message: string
}

/** What was to be stored is larger than the store's limit, or nests deeper. */
export interface TooLarge {
  readonly _tag: 'TooLarge'
  readonly what: string
  readonly bytes: number
  readonly limitBytes: number
  /** It nests deeper than this; sizes are 0 then. */
  readonly limitDepth?: number
  readonly message: string
}

/** Nothing is stored under that name. */
export interface NotFound {
  readonly _tag: 'NotFound'
  readonly what: string
  readonly message: string
}

/** It is sealed with a key that was not given. What is stored stays as it is, until the key is there. */
export interface KeyMissing {
  readonly _tag: 'KeyMissing'
  readonly keyId: string
  readonly message: string
}

/** It was to bear a seal, and does not: it was changed, put where it does not belong, or never sealed. */
export interface SealBroken {
  readonly _tag: 'SealBroken'
  readonly what: string
  readonly message: string
}

export type StoreError =
  | RevisionConflict
  | StoreUnavailable
  | StoreOwned
  | StoreUnusable
  | TooLarge
  | NotFound
  | KeyMissing
  | SealBroken

/** Something found in the store that could not be used, and was set aside. */
export interface Quarantined {
  /** Where it was found, e.g. a file and a line. */
  readonly source: string
  /** Where it is kept now; empty: nowhere. */
  readonly keptAs: string
  /** The session it belongs to, where that could be told. */
  readonly sessionId?: string
  /** Names the field at fault. */
  readonly problem: string
}

/** One decision: the record it led to and its journal entry; durable together or not at all. */
export interface Commit {
  readonly record: SessionRecord
  /** The revision the record had before; 0 for a new session or incarnation. */
  readonly expectedRev: number
  readonly entry: JournalEntry
}

/**
 * One kept snapshot; of a session the highest generation counts. `body` is an encoded snapshot. One of an
 * incarnation that the store does not hold is refused with `NotFound`.
 */
export interface StoredSnapshot {
  readonly sessionId: string
  readonly incarnation: number
  readonly view: PlanningView
  readonly body: Json
}

/** What is kept for a person when a session could not be brought back. */
export interface Archive {
  readonly v: 1
  readonly sessionId: string
  readonly incarnation: number
  readonly incident: number
  /** Makes archiving the same incident twice one archive. */
  readonly token: string
  readonly atMs: number
  readonly record: SessionRecord
  readonly snapshot: StoredSnapshot | null
}

/** What a store holds of a session. */
export interface LoadedSession {
  readonly record: SessionRecord
  readonly view: PlanningView | undefined
}

/**
 * Sessions whose bytes were checked, of which nothing is due (`isResting`), and whose view tells of no
 * interaction: they are read when they are asked for.
 */
export interface RestingSessions {
  readonly ids: readonly string[]
  /** `undefined`: what is kept of it says nothing that can be used; it was set aside, and the listener told. */
  readonly read: (sessionId: string) => LoadedSession | undefined
}

/** What a store holds when it is opened. */
export interface Loaded {
  /** Every session not forgotten, also those that were unregistered; but for those that are `resting`. */
  readonly sessions: readonly LoadedSession[]
  /** Absent: there are none. */
  readonly resting?: RestingSessions
  /** What the last checkpoint carried, and the entries that it had not folded in, in the order of `seq`. */
  readonly projection: Json | undefined
  readonly entries: readonly JournalEntry[]
  readonly quarantined: readonly Quarantined[]
  /** The latest time any committed event or kept snapshot carries: engine time starts no earlier. */
  readonly latestMs: number
  /** The highest `seq` of any entry; 0 when there is none. */
  readonly latestSeq: number
}

/**
 * Where records, journal, snapshots and archives are kept. A call that succeeded is durable as far as
 * the store declares; concurrent calls are allowed and may share one flush.
 */
export interface Store {
  readonly name: string
  /** What survives: the process (`memory`: nothing) or kill -9 and power loss (`disk`). */
  readonly durability: 'memory' | 'disk'
  /** What it keeps of snapshots is sealed with a key of the app's: output and history are stored, too. */
  readonly seals?: boolean
  /** While it is open, another store at the same place is refused with `StoreOwned`. Absent: it is not. */
  readonly exclusive?: true
  /**
   * Registers the one listener for damage that is come upon while it is open, by a read, a checkpoint or by
   * what looks things over by itself; returns what removes it. Absent: it tells of none.
   */
  readonly watch?: (listener: (found: Quarantined) => void) => () => void
  /** The largest commit, snapshot or projection that is accepted, in bytes as stored. Absent: no bound. */
  readonly limitBytes?: number
  /** Takes ownership and reads everything. */
  readonly open: TE.TaskEither<StoreError, Loaded>
  readonly commit: (commit: Commit) => TE.TaskEither<StoreError, void>
  readonly saveSnapshot: (snapshot: StoredSnapshot) => TE.TaskEither<StoreError, void>
  /** The latest snapshot of a session; `NotFound` when there is none. */
  readonly readSnapshot: (sessionId: string) => TE.TaskEither<StoreError, StoredSnapshot>
  /** The journal of one session, oldest first, as far back as it is retained. */
  readonly readJournal: (sessionId: string) => TE.TaskEither<StoreError, readonly JournalEntry[]>
  /** Keeps an archive; the same token twice is one archive. Returns its location. */
  readonly archive: (archive: Archive) => TE.TaskEither<StoreError, string>
  readonly readArchive: (location: string) => TE.TaskEither<StoreError, Archive>
  /** Drops what belongs to a session up to that incarnation, but its journal. */
  readonly forget: (sessionId: string, incarnation: number) => TE.TaskEither<StoreError, void>
  /** Starts afresh from what is live, carrying `projection`, into which all up to `throughSeq` is folded. */
  readonly checkpoint: (projection: Json, throughSeq: number) => TE.TaskEither<StoreError, void>
  /** Flushes, gives up ownership. Never fails; what could not be flushed was not acknowledged. */
  readonly close: () => Promise<void>
}

/** Every session that was loaded, those that rest read. */
export const loadedSessions = ({ sessions, resting }: Loaded): readonly LoadedSession[] =>
  resting === undefined
    ? sessions
    : [...sessions, ...resting.ids.flatMap((sessionId) => resting.read(sessionId) ?? [])]

/** What every store answers to, by name. */
export const storeCalls = [
  'open',
  'commit',
  'saveSnapshot',
  'readSnapshot',
  'readJournal',
  'archive',
  'readArchive',
  'forget',
  'checkpoint',
  'close',
] as const satisfies readonly (keyof Store)[]

// ----------------------------------------------------------------------------------------- driver

/** Told to whoever is asked for something when it is wanted no longer. An `AbortSignal` is one. */
export interface Cancellation {
  readonly aborted: boolean
  readonly addEventListener: (
    type: 'abort',
    listener: () => void,
    options?: { readonly once?: boolean },
  ) => void
  readonly removeEventListener: (type: 'abort', listener: () => void) => void
}

/** What a driver can do. What it does not declare is answered `unsupported` without asking it. */
export interface DriverSupport {
  readonly strategies: ReadonlySet<RecoveryStrategy>
  readonly capture: boolean
  /** The best proof of life it can give. */
  readonly proof: Grade
  /**
   * What `replicate` starts is a session of this driver, and has taken the place of the other: the engine
   * registers the one and lets the other go. Absent: that is for the app to do.
   */
  readonly replicas?: true
  /**
   * The most that is shown of any of its sessions on this platform; absent: it declares nothing. Of one
   * session {@link Driver.showing} tells.
   */
  readonly shows?: Showing
}

/** What a driver noticed by itself. */
export type Observation =
  | { readonly _tag: 'exited'; readonly sessionId: string; readonly exit: Exit }
  | { readonly _tag: 'transport-lost'; readonly sessionId: string; readonly detail: string }
  /** Something worth keeping changed: a command ended, the prompt is back. */
  | { readonly _tag: 'changed'; readonly sessionId: string }

interface Request {
  readonly sessionId: string
  readonly incarnation: number
  readonly traits: Traits
  /**
   * What this work is known by in its session: the same when it is asked for again after a crash, another for
   * any other work. That of a strategy, a verification or an archive is like no other session's either.
   */
  readonly token: string
  /** Engine time by which it is given up; absent: no bound. */
  readonly deadlineMs?: number
  readonly signal: Cancellation
}

export interface CaptureRequest extends Request {}

/** Asks whether the way to a session's process carries: it must be tried, and nothing else be done. */
export interface ProbeRequest extends Request {
  readonly domain: string
  /** What is known of the session; absent when nothing was kept. */
  readonly snapshot?: RecoverySnapshot
}

/** What was found of a session's transport. */
export interface Probed {
  readonly verdict: ProbeVerdict
  readonly detail: string
}

/** What a capture saw: what is to be kept, and what stands in the foreground. */
export interface Capture {
  readonly update: SnapshotUpdate
  /**
   * Stands for `outputBuffer` and `commandHistory` of the update, as who else speaks of a version or an entity
   * tag: while it is the same object, both say the same, and nobody reads them to find out. With each change
   * of theirs it must be a new one. Absent: they are compared by what they say.
   */
  readonly bulkIdentity?: object
  readonly foreground: Foreground
}

export interface RunRequest extends Request {
  readonly strategy: RecoveryStrategy
  readonly attempt: number
  readonly failure: Failure
  readonly plan: RecoveryPlan
  /** A crash left an earlier run under the same token in doubt. */
  readonly repeated: boolean
  /** Of `replicate`: the id of the session to start. */
  readonly replicaId?: string
  /** What to bring back; absent when nothing was kept. Secrets are resolved where they can be. */
  readonly snapshot?: RecoverySnapshot
  /** References to secrets in the snapshot that nobody could resolve: what they stood for is lost. */
  readonly lostSecrets: readonly string[]
  readonly policy: Policy
}

export interface VerifyRequest extends Request {
  /** The strategy whose effect is to be proved; absent when a session is looked at on start. */
  readonly strategy?: RecoveryStrategy
  readonly snapshot?: RecoverySnapshot
}

/** The driver could not do what it was asked for. */
export interface DriverError {
  readonly _tag: 'DriverError'
  readonly message: string
}

/**
 * What touches sessions. It may be asked for several sessions at once, for one session one thing at a
 * time; a signal that aborts means that the answer will be ignored and the work must cease.
 */
export interface Driver {
  readonly name: string
  readonly supports: DriverSupport
  /** Registers the one listener for what the driver notices; returns what removes it. */
  readonly watch: (listener: (observation: Observation) => void) => () => void
  readonly capture: (request: CaptureRequest) => TE.TaskEither<DriverError, Capture>
  readonly run: (request: RunRequest) => TE.TaskEither<DriverError, RunOutcome>
  readonly verify: (request: VerifyRequest) => TE.TaskEither<DriverError, Verdict>
  /**
   * Tries a session's transport for all who share a domain with it: one connection, which the next run may
   * use. Absent: the first session that is let go is the try.
   */
  readonly probe?: (request: ProbeRequest) => TE.TaskEither<DriverError, Probed>
  /** The domains of a session with these options of the app's; absent: none but those it declares. */
  readonly domainsOf?: (sessionOptions: unknown) => readonly string[]
  /** What is shown of this session, by its program and its host; absent: the driver declares nothing. */
  readonly showing?: (sessionId: string) => Showing | undefined
  /** The session is watched no longer; its process, if it lives, is let be. */
  readonly detach: (sessionId: string) => Promise<void>
}

// ---------------------------------------------------------------------------------------- secrets

/** Nobody has the secret any more. */
export interface SecretMissing {
  readonly _tag: 'SecretMissing'
  readonly reference: string
  readonly message: string
}

/** Keeps secret values under references; only references are stored with a session. */
export interface Secrets {
  readonly put: (reference: string, value: string) => TE.TaskEither<SecretMissing, void>
  readonly get: (reference: string) => TE.TaskEither<SecretMissing, string>
}
