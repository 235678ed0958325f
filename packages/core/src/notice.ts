/**
 * The sink, the port of those who listen: what they are told.
 */
import type { DomainEffect, DomainEvent, DomainRecord, DomainStateName } from './domain.js'
import type { JournalEntry } from './journal.js'
import type { Quarantined, StoreError } from './port.js'
import type { SessionRecord } from './record.js'
import type { PlanningView } from './snapshot.js'

/** What those who listen are told. */
export type Notice =
  | {
      readonly _tag: 'decided'
      readonly entry: JournalEntry
      readonly record: SessionRecord
      /** False: the store refused it and the engine goes on all the same (`degrade`). */
      readonly durable: boolean
    }
  | {
      readonly _tag: 'captured'
      readonly sessionId: string
      readonly view: PlanningView
      /** Of the capture that saw it; absent where the app itself changed what is kept. */
      readonly token?: string
    }
  /** What a domain decided. It is not journalled: what follows for a session is, by that session. */
  | {
      readonly _tag: 'domain-decided'
      readonly event: DomainEvent
      readonly from: DomainStateName
      readonly record: DomainRecord
      readonly effects: readonly DomainEffect[]
    }
  | { readonly _tag: 'capture-failed'; readonly sessionId: string; readonly detail: string }
  | { readonly _tag: 'store-failed'; readonly sessionId?: string; readonly error: StoreError }
  /** What is stored was found damaged while the engine runs, and was set aside. */
  | { readonly _tag: 'damaged'; readonly found: Quarantined }
  | { readonly _tag: 'started' }
  | { readonly _tag: 'stopped' }

/** Is told of everything, in order, after it is durable. What it throws is logged and otherwise ignored. */
export type Sink = (notice: Notice) => void
