/**
 * Keeps one session's snapshots: merges what is new into what is kept, takes the secrets out, stores the
 * next generation, and gives the whole back when a recovery needs it.
 *
 * One change at a time: two that overlap would lose each other's fields.
 */
import {
  bounded,
  type Json,
  type PlanningView,
  planningView,
  RecoverySnapshot,
  type Redacted,
  redact,
  referencesIn,
  rememberSecret,
  rememberSpoken,
  type SnapshotUpdate,
  type StoredSnapshot,
  type StoreError,
  without,
  withSecrets,
  withUpdate,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { fingerprintBesideBulk, fingerprintOf } from './fingerprint.js'
import type { KnownSecrets } from './free-text.js'
import { bodyOf, isWhole, type Remainder, remainderOf } from './remainder.js'
import type { Runtime } from './runtime.js'
import { join, overwritten, type WaitingUpdate } from './waiting-update.js'

// ------------------------------------------------------------------------------------------ model

/** A snapshot as a recovery gets it. */
export interface Retrieved {
  readonly snapshot: RecoverySnapshot
  /** References that nobody could resolve. */
  readonly lostSecrets: readonly string[]
}

/** What became of a change. `durable: false`: the store refused it, and it is kept in memory alone. */
export type Kept =
  | { readonly _tag: 'kept'; readonly view: PlanningView; readonly durable: boolean }
  | { readonly _tag: 'refused'; readonly error: StoreError }
  /** The session or the engine is gone. */
  | { readonly _tag: 'closed' }

type WithoutConsent =
  | 'commandHistory'
  | 'outputBuffer'
  | 'droppedOutputBytes'
  | 'droppedHistoryLines'

type Volatile = Partial<Pick<RecoverySnapshot, WithoutConsent>>

const asStored: Volatile = {}
const nothingSaid: Volatile = { commandHistory: [], outputBuffer: [] }
const noSecrets: ReadonlyMap<string, string> = new Map()

const withoutOutput = (snapshot: RecoverySnapshot): RecoverySnapshot => ({
  ...without(snapshot, 'droppedOutputBytes', 'droppedHistoryLines'),
  commandHistory: [],
  outputBuffer: [],
})

const saidIn = (snapshot: RecoverySnapshot): Volatile => {
  const { commandHistory, outputBuffer, droppedOutputBytes, droppedHistoryLines } = snapshot
  const dropped = {
    ...(droppedOutputBytes === undefined ? {} : { droppedOutputBytes }),
    ...(droppedHistoryLines === undefined ? {} : { droppedHistoryLines }),
  }
  const isNothing = commandHistory.length + outputBuffer.length + Object.keys(dropped).length === 0
  return isNothing ? nothingSaid : { commandHistory, outputBuffer, ...dropped }
}

// ----------------------------------------------------------------------------------------- keeper

export class Keeper {
  readonly #runtime: Runtime
  readonly #sessionId: string
  readonly #incarnation: number
  #secrets: Map<string, string> | undefined
  #view: PlanningView | undefined
  /** The last one given away; what was refused may have been written all the same. */
  #generation: number
  /** The latest snapshot, while the store refuses it. */
  #unsaved: StoredSnapshot | undefined
  /** The updates that wait for their turn. */
  #waiting: WaitingUpdate<Kept> | undefined
  /** Of the update that made what is stored: the same again changes nothing. */
  #keptPrint: string | undefined
  /** What stood for the output and history of that update; `undefined`: they are in its print. */
  #keptBulk: object | undefined
  /** Of what is stored, where it is as it was written and all its secrets are known. */
  #remainder: Remainder | undefined
  /** What the open incident was given, whole: its next step wants the same, without the disk. */
  #given: Retrieved | undefined
  /** What is not stored without consent lives here, in memory. */
  #volatile: Volatile = asStored
  /** What an earlier life of the engine took out is known. */
  #hasLearnt: boolean
  #closed = false
  /** What its turn is waited for; `undefined`: nothing is under way. */
  #last: Promise<unknown> | undefined

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
    this.#generation = view?.generation ?? 0
    this.#hasLearnt = view === undefined
  }

  /** What planning needs of the latest snapshot. */
  get view(): PlanningView | undefined {
    return this.#view
  }

  /** The secrets seen in this session so far, and the names declared to be some. */
  get known(): KnownSecrets {
    return { secrets: this.#secrets ?? noSecrets, declared: this.#runtime.policy.secretNames }
  }

  /** Learns the secrets of a session that an earlier life kept; `undefined`: they are known. */
  learnt(): Promise<void> | undefined {
    if (this.#hasLearnt) return undefined
    return this.#inTurn(async () => {
      if (this.#hasLearnt) return
      const snapshot = await this.#current()
      if (snapshot !== undefined) await this.#learn(snapshot)
      // Whoever could not be asked now is asked by what needs them.
      this.#hasLearnt = true
    })
  }

  /** Keeps a first snapshot once the session is `registered`: before, the store does not know it. */
  begin(first: Redacted, registered: Promise<boolean>): Promise<Kept> {
    return this.#inTurn(async () => {
      const isClosed = !(await registered) || this.#closed
      return isClosed ? { _tag: 'closed' } : this.#save(first, () => true)
    })
  }

  /**
   * Keeps what changed; resolves when it is durable. Of several that wait together the latest wins; one that
   * changes nothing is not written.
   *
   * @param bulk stands for the output and history of `update`: the same object, the same of both.
   */
  keep(update: SnapshotUpdate, bulk?: object): Promise<Kept> {
    const waiting = this.#waiting
    if (waiting !== undefined) {
      const lost = overwritten(waiting.update, update)
      if (lost !== undefined) this.#learnFrom(lost)
      join(waiting, update)
      return waiting.kept
    }
    const kept = this.#inTurn(async () => {
      const latest = this.#waiting ?? { update, bulk }
      this.#waiting = undefined
      return this.#keep(latest.update, latest.bulk)
    })
    this.#waiting = { update, bulk, kept }
    return kept
  }

  /** What is stored may not be what was written: the next update is, whether or not it changes anything. */
  doubt(): void {
    this.#keptPrint = undefined
  }

  async #keep(update: SnapshotUpdate, bulk: object | undefined): Promise<Kept> {
    const print = bulk === undefined ? fingerprintOf(update) : fingerprintBesideBulk(update)
    const view = this.#view
    const isSame = print === this.#keptPrint && bulk === this.#keptBulk
    if (view !== undefined && isSame && !this.#closed) return { _tag: 'kept', view, durable: true }
    const found = this.#atHand(update) ?? (await this.#find())
    // What is stored is only out of reach: what would take its place would be without it.
    if (E.isLeft(found)) return { _tag: 'refused', error: found.left }
    const base = found.right
    const lost = base === undefined ? [] : await this.#learn(base)
    if (this.#closed) return { _tag: 'closed' }
    const timestamp = new Date(this.#runtime.nowMs())
    const whole = withUpdate(base ?? emptySnapshot(this.#sessionId), update, timestamp)
    const { policy } = this.#runtime
    const degrades = policy.onStoreFailure === 'degrade'
    // Before it is cut: of a secret cut in two the rest would not be found.
    const redacted = redact(whole, policy.secretNames, this.#secrets ?? noSecrets)
    const kept = await this.#save(redacted, (error) => degrades && isDown(error))
    if (kept._tag === 'kept' && kept.durable) {
      this.#keptPrint = print
      this.#keptBulk = bulk
    }
    // A secret that is lost now may be found when it is read again.
    if (lost.length > 0) this.#remainder = undefined
    return kept
  }

  /** The snapshot with its secrets; `undefined` when nothing was kept or it cannot be read. */
  retrieve(): Promise<Retrieved | undefined> {
    return this.#inTurn(async () => {
      if (this.#given !== undefined) return this.#given
      const snapshot = await this.#current()
      if (snapshot === undefined) return undefined
      const lostSecrets = await this.#learn(snapshot)
      const retrieved = { snapshot: withSecrets(snapshot, this.#secrets ?? noSecrets), lostSecrets }
      // A secret that is lost now may be found by the next attempt.
      this.#given = lostSecrets.length === 0 ? retrieved : undefined
      return retrieved
    })
  }

  /** What was retrieved is large, and read again when it is wanted. */
  letGo(): void {
    this.#given = undefined
  }

  /** The snapshot as it may be shown: its secrets are references. */
  shown(): Promise<RecoverySnapshot | undefined> {
    return this.#inTurn(() => this.#current())
  }

  /** The snapshot as it is stored. */
  stored(): Promise<StoredSnapshot | undefined> {
    return this.#inTurn(() => this.#read())
  }

  /** Nothing is kept any more; resolves when what is under way is over. */
  close(): Promise<void> {
    this.#closed = true
    return this.#inTurn(async () => {})
  }

  async #read(): Promise<StoredSnapshot | undefined> {
    const read = await this.#seek()
    return E.isRight(read) ? read.right : undefined
  }

  async #seek(): Promise<E.Either<StoreError, StoredSnapshot | undefined>> {
    if (this.#unsaved !== undefined || this.#view === undefined) return E.right(this.#unsaved)
    const read = await this.#runtime.store.readSnapshot(this.#sessionId)()
    if (E.isLeft(read)) {
      this.#runtime.logger('error', `the snapshot of ${this.#sessionId} cannot be read`, read.left)
    }
    return read
  }

  /** What is kept, without the bulk that `update` replaces; `undefined`: it has to be read. */
  #atHand(update: SnapshotUpdate): E.Right<RecoverySnapshot> | undefined {
    const remainder = this.#remainder
    if (remainder === undefined || !isWhole(remainder, update)) return undefined
    const base = this.#decoded(bodyOf(remainder, this.#sessionId))
    return base === undefined ? undefined : { _tag: 'Right', right: base }
  }

  /** What is kept, or why it cannot be reached now; `undefined`: nothing that could be used. */
  async #find(): Promise<E.Either<StoreError, RecoverySnapshot | undefined>> {
    const read = await this.#seek()
    if (E.isLeft(read)) return isOutOfReach(read.left) ? read : E.right(undefined)
    return E.right(this.#decoded(read.right?.body))
  }

  async #current(): Promise<RecoverySnapshot | undefined> {
    return this.#decoded((await this.#read())?.body)
  }

  #decoded(body: Json | undefined): RecoverySnapshot | undefined {
    if (body === undefined) return undefined
    const decoded = RecoverySnapshot.decode(body)
    if (E.isRight(decoded)) return { ...decoded.right, ...this.#volatile }
    this.#runtime.logger('error', `the snapshot of ${this.#sessionId} cannot be decoded`)
    return undefined
  }

  /** Learns the secrets an earlier life of the engine took out; returns those nobody can tell. */
  async #learn(snapshot: RecoverySnapshot): Promise<readonly string[]> {
    const lost: string[] = []
    for (const reference of referencesIn(snapshot)) {
      if (this.#secrets?.has(reference)) continue
      const secret = await this.#runtime.secrets.get(reference)()
      if (E.isRight(secret)) this.#own().set(reference, secret.right)
      else lost.push(reference)
    }
    return lost
  }

  /** @param mayKeep whether what the store refuses so is kept in memory until it takes a later one. */
  async #save(redacted: Redacted, mayKeep: (error: StoreError) => boolean): Promise<Kept> {
    const { policy, store, notify } = this.#runtime
    const sessionId = this.#sessionId
    this.#given = undefined
    this.#keptPrint = undefined
    this.#remainder = undefined
    const { snapshot: clean, secrets } = redacted
    if (redacted.spoken.length > 0) rememberSpoken(this.#own(), redacted.spoken)
    const snapshot = bounded(clean, policy.snapshotLimit)
    for (const [reference, value] of secrets) await this.#remember(reference, value)
    const isStored = policy.storeOutput || store.seals === true
    this.#generation += 1
    const view = planningView(snapshot, this.#generation)
    const body = RecoverySnapshot.encode(isStored ? snapshot : withoutOutput(snapshot))
    const next = { sessionId, incarnation: this.#incarnation, view, body }
    const saved = await store.saveSnapshot(next)()
    if (E.isLeft(saved)) {
      notify({ _tag: 'store-failed', sessionId, error: saved.left })
      if (!mayKeep(saved.left)) return { _tag: 'refused', error: saved.left }
    }
    this.#unsaved = E.isLeft(saved) ? next : undefined
    if (E.isRight(saved)) this.#remainder = remainderOf(body)
    this.#volatile = isStored ? asStored : saidIn(snapshot)
    this.#view = view
    return { _tag: 'kept', view, durable: E.isRight(saved) }
  }

  /** Learns the secrets in what is overwritten before it was kept: others may repeat them. */
  #learnFrom(lost: SnapshotUpdate): void {
    const { secretNames } = this.#runtime.policy
    const told = withUpdate(emptySnapshot(this.#sessionId), lost, new Date(0))
    const { secrets, spoken } = redact(told, secretNames, this.#secrets ?? noSecrets)
    for (const [reference, value] of secrets) rememberSecret(this.#own(), reference, value)
    if (spoken.length > 0) rememberSpoken(this.#own(), spoken)
  }

  async #remember(reference: string, value: string): Promise<void> {
    const { secrets, logger } = this.#runtime
    rememberSecret(this.#own(), reference, value)
    const put = await secrets.put(reference, value)()
    if (E.isLeft(put)) logger('warn', `a secret of ${this.#sessionId} cannot be kept`, put.left)
  }

  /** The secrets, to add to: most sessions have none. */
  #own(): Map<string, string> {
    this.#secrets ??= new Map()
    return this.#secrets
  }

  #inTurn<A>(work: () => Promise<A>): Promise<A> {
    const done = (this.#last ?? Promise.resolve()).then(work)
    const end = (): void => {
      if (this.#last === over) this.#last = undefined
    }
    const over: Promise<void> = done.then(end, end)
    this.#last = over
    return done
  }
}

// The store may not know a session whose registration it refused, too.
const isDown = ({ _tag }: StoreError): boolean => _tag === 'StoreUnavailable' || _tag === 'NotFound'

/** A medium that fails for good would keep a session from ever being captured again. */
const isOutOfReach = (error: StoreError): boolean =>
  error._tag === 'KeyMissing' || (error._tag === 'StoreUnavailable' && error.code !== 'EIO')

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
