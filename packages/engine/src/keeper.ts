/**
 * Keeps one session's snapshots: merges what is new into what is kept, takes the secrets out, stores the
 * next generation, and gives the whole back when a recovery needs it.
 *
 * One change at a time: two that overlap would lose each other's fields.
 */
import {
  bounded,
  type PlanningView,
  planningView,
  RecoverySnapshot,
  type Redacted,
  redact,
  referencesIn,
  type SnapshotUpdate,
  type StoredSnapshot,
  type StoreError,
  withSecrets,
  withUpdate,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Runtime } from './runtime.js'

// ------------------------------------------------------------------------------------------ model

/** A snapshot as a recovery gets it. */
export interface Retrieved {
  readonly snapshot: RecoverySnapshot
  /** References that nobody could resolve. */
  readonly lostSecrets: readonly string[]
}

type Kept = E.Either<StoreError, PlanningView>

// ----------------------------------------------------------------------------------------- keeper

export class Keeper {
  readonly #runtime: Runtime
  readonly #sessionId: string
  readonly #incarnation: number
  readonly #secrets = new Map<string, string>()
  #view: PlanningView | undefined
  /** What is not stored without consent lives here, in memory. */
  #volatile: Partial<Pick<RecoverySnapshot, 'commandHistory' | 'outputBuffer'>> = {}
  #last: Promise<unknown> = Promise.resolve()

  /** @param view what was found in the store of this incarnation. */
  constructor(
    runtime: Runtime,
    sessionId: string,
    incarnation: number,
    view: PlanningView | undefined,
  ) {
    this.#runtime = runtime
    this.#sessionId = sessionId
    this.#incarnation = incarnation
    this.#view = view
  }

  /** What planning needs of the latest durable snapshot. */
  get view(): PlanningView | undefined {
    return this.#view
  }

  /** The secrets seen in this session so far, by reference. */
  get secrets(): ReadonlyMap<string, string> {
    return this.#secrets
  }

  /** Keeps a first snapshot; resolves when it is durable. */
  begin(snapshot: RecoverySnapshot): Promise<Kept> {
    return this.#inTurn(() => this.#save(snapshot))
  }

  /** Keeps what changed; resolves when it is durable. */
  keep(update: SnapshotUpdate): Promise<Kept> {
    return this.#inTurn(async () => {
      const base = (await this.#current()) ?? emptySnapshot(this.#sessionId)
      return this.#save(withUpdate(base, update, new Date(this.#runtime.nowMs())))
    })
  }

  /** The snapshot with its secrets; `undefined` when nothing was kept or it cannot be read. */
  retrieve(): Promise<Retrieved | undefined> {
    return this.#inTurn(async () => {
      const snapshot = await this.#current()
      if (snapshot === undefined) return undefined
      const lostSecrets = referencesIn(snapshot).filter((one) => !this.#secrets.has(one))
      return { snapshot: withSecrets(snapshot, this.#secrets), lostSecrets }
    })
  }

  /** The snapshot as it may be shown: its secrets are references. */
  shown(): Promise<RecoverySnapshot | undefined> {
    return this.#inTurn(async () => {
      const snapshot = await this.#current()
      return snapshot && this.#redact(snapshot).snapshot
    })
  }

  /** The snapshot as it is stored. */
  stored(): Promise<StoredSnapshot | undefined> {
    return this.#inTurn(() => this.#read())
  }

  async #read(): Promise<StoredSnapshot | undefined> {
    if (this.#view === undefined) return undefined
    const read = await this.#runtime.store.readSnapshot(this.#sessionId)()
    if (E.isRight(read)) return read.right
    this.#runtime.logger('error', `the snapshot of ${this.#sessionId} cannot be read`, read.left)
    return undefined
  }

  async #current(): Promise<RecoverySnapshot | undefined> {
    const read = await this.#read()
    if (read === undefined) return undefined
    const decoded = RecoverySnapshot.decode(read.body)
    if (E.isRight(decoded)) {
      await this.#resolve(decoded.right)
      return { ...decoded.right, ...this.#volatile }
    }
    this.#runtime.logger('error', `the snapshot of ${this.#sessionId} cannot be decoded`)
    return undefined
  }

  /** Secrets taken out by a former run are known again: they may turn up in what is kept next. */
  async #resolve(snapshot: RecoverySnapshot): Promise<void> {
    for (const reference of referencesIn(snapshot)) {
      if (this.#secrets.has(reference)) continue
      const secret = await this.#runtime.secrets.get(reference)()
      if (E.isRight(secret)) this.#secrets.set(reference, secret.right)
    }
  }

  /** What is kept holds references: a secret taken out before is found only if it is sought. */
  #redact(snapshot: RecoverySnapshot): Redacted {
    return redact(snapshot, this.#runtime.policy.secretNames, this.#secrets)
  }

  async #save(whole: RecoverySnapshot): Promise<Kept> {
    const { policy, secrets, store, logger } = this.#runtime
    const limited = bounded(whole, policy.snapshotLimit)
    const redacted = this.#redact(limited)
    for (const [reference, value] of redacted.secrets) {
      this.#secrets.set(reference, value)
      const put = await secrets.put(reference, value)()
      if (E.isLeft(put)) logger('warn', `a secret of ${this.#sessionId} cannot be kept`, put.left)
    }
    if (!policy.storeOutput) {
      const { commandHistory, outputBuffer } = limited
      this.#volatile = { commandHistory, outputBuffer }
    }
    const view = planningView(redacted.snapshot, (this.#view?.generation ?? 0) + 1)
    const nothing = { commandHistory: [], outputBuffer: [] }
    const body = RecoverySnapshot.encode({
      ...redacted.snapshot,
      ...(policy.storeOutput ? {} : nothing),
    })
    const names = { sessionId: this.#sessionId, incarnation: this.#incarnation }
    const saved = await store.saveSnapshot({ ...names, view, body })()
    if (E.isLeft(saved)) return saved
    this.#view = view
    return E.right(view)
  }

  #inTurn<A>(work: () => Promise<A>): Promise<A> {
    const done = this.#last.then(work)
    this.#last = done.catch(() => undefined)
    return done
  }
}

const emptySnapshot = (sessionId: string): RecoverySnapshot => ({
  sessionId,
  timestamp: new Date(0),
  sessionState: null,
  sessionOptions: null,
  environment: {},
  workingDirectory: '',
  commandHistory: [],
  outputBuffer: [],
})
