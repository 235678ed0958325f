/**
 * Tells a host in the seed's events what the engine decided; docs/event.md has the table. Nothing is told
 * before it is durable, or was refused by a disk that fails.
 */
import {
  type Fact,
  factsOf,
  type Incident,
  type Notice,
  type Policy,
  type RecoverySnapshot,
  redact,
  rememberSecret,
  rememberSpoken,
  type SessionRecord,
} from '@session-recovery/core'
import type { RecoveryEventMap, RecoveryEventName } from './event.js'
import { strategyMessage } from './request.js'

// ------------------------------------------------------------------------------------------ model

/** Tells the listeners of `event`; what they are told is made only if there are any. */
export type Tell = <K extends RecoveryEventName>(event: K, make: () => RecoveryEventMap[K]) => void

/** What the announcer asks of whoever keeps the snapshots. */
export interface SnapshotSource {
  /** What the app told. */
  readonly told: (sessionId: string) => RecoverySnapshot | undefined
  /** What is stored: for a session of a former run. */
  readonly stored: (sessionId: string) => Promise<RecoverySnapshot | undefined>
}

type Decided = Extract<Notice, { readonly _tag: 'decided' }>
type Exhausted = Extract<Fact, { readonly _tag: 'incident-exhausted' }>

// -------------------------------------------------------------------------------------- announcer

export class Announcer {
  readonly #policy: Policy
  readonly #tell: Tell
  readonly #source: SnapshotSource
  /** The open incidents: the record of one that ended holds it no longer. */
  readonly #incidents = new Map<string, Incident>()
  /** What was taken out of each session so far, under its references. */
  readonly #secrets = new Map<string, Map<string, string>>()

  constructor(policy: Policy, tell: Tell, source: SnapshotSource) {
    this.#policy = policy
    this.#tell = tell
    this.#source = source
  }

  announce(notice: Decided): void {
    const { record, entry } = notice
    const { sessionId, incident } = record.control
    if (incident !== undefined) this.#remember(sessionId, incident)
    const facts = factsOf(entry)
    const isAttempted = facts.some((fact) => fact._tag === 'attempt-started')
    for (const fact of facts) this.#one(fact, record, isAttempted)
    this.#remember(sessionId, incident)
  }

  /** `snapshot` as it may be told: a value, its secrets references. */
  shown(snapshot: RecoverySnapshot): RecoverySnapshot {
    const { sessionId } = snapshot
    const known = this.#secrets.get(sessionId) ?? new Map<string, string>()
    const shown = redact(snapshot, this.#policy.secretNames, known)
    for (const [reference, value] of shown.secrets) rememberSecret(known, reference, value)
    rememberSpoken(known, shown.spoken)
    this.#secrets.set(sessionId, known)
    return structuredClone(shown.snapshot)
  }

  /** Nothing is told of the session any more. */
  forget(sessionId: string): void {
    this.#secrets.delete(sessionId)
  }

  #remember(sessionId: string, incident: Incident | undefined): void {
    if (incident === undefined) this.#incidents.delete(sessionId)
    else this.#incidents.set(sessionId, incident)
  }

  #one(fact: Fact, { control }: SessionRecord, isAttempted: boolean): void {
    const { sessionId, used } = control
    switch (fact._tag) {
      case 'incident-opened':
        if (!isAttempted && used >= this.#policy.maxRecoveryAttempts) {
          this.#tell('recovery-max-attempts', () => [{ sessionId, attempts: used }])
        }
        break
      case 'attempt-started':
        this.#tell('recovery-started', () => [
          {
            sessionId,
            attemptNumber: fact.attempt,
            plan: this.#planOf(sessionId),
            failureReason: this.#incidents.get(sessionId)?.failure.reason || undefined,
          },
        ])
        break
      case 'strategy-started':
        // The driver announces what it asks for; the last resort is the engine's own.
        if (fact.strategy === 'fallback') {
          const message = strategyMessage.fallback
          const { strategy } = fact
          this.#tell('recovery-strategy-attempt', () => [{ sessionId, strategy, message }])
        }
        break
      case 'incident-recovered':
        this.#tell('recovery-success', () => [
          {
            sessionId,
            attemptNumber: fact.attempt,
            plan: this.#planOf(sessionId),
            receipt: structuredClone(fact.receipt),
          },
        ])
        break
      case 'incident-exhausted':
        this.#fallenBack(sessionId, fact)
        break
      case 'incident-cancelled':
        this.#tell('recovery-error', () => [{ sessionId, attemptNumber: used, error: fact.why }])
        break
      default:
        break
    }
  }

  #fallenBack(sessionId: string, fact: Exhausted): void {
    const tell = (snapshot: RecoverySnapshot): void => {
      const location = this.#policy.persistenceEnabled ? fact.archive : undefined
      this.#tell('recovery-fallback', () => [
        {
          sessionId,
          snapshot: this.shown(snapshot),
          message: `Session could not be automatically recovered. ${archived(fact, location)}`,
          archiveLocation: location ?? null,
        },
      ])
    }
    const told = this.#source.told(sessionId)
    if (told !== undefined) tell(told)
    else {
      void this.#source.stored(sessionId).then((stored) => {
        if (stored !== undefined) tell(stored)
      })
    }
  }

  #planOf(sessionId: string) {
    const incident = this.#incidents.get(sessionId)
    if (incident === undefined) throw new Error(`${sessionId} has no open incident`)
    return structuredClone(incident.plan)
  }
}

const archived = ({ archiveError }: Exhausted, location: string | undefined): string => {
  if (location !== undefined) return 'Data has been archived for manual recovery.'
  return archiveError === undefined
    ? 'Data is not archived: persistence is off.'
    : `Data could not be archived: ${archiveError}.`
}
