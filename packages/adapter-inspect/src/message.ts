/**
 * The messages of the Stately inspector's protocol, made from what the engine tells: an actor a session,
 * an event a decision, a snapshot the record it led to. The form is that of `@statelyai/inspect` 0.7.2;
 * a test holds the two together.
 */
import {
  digest,
  type Json,
  type Policy,
  type SessionRecord,
  type SessionStateName,
} from '@session-recovery/core'
import { type SessionMachine, sessionMachine } from '@session-recovery/engine'
import { bounded } from './bound.js'
import { withoutSecrets } from './redaction.js'

// ------------------------------------------------------------------------------------------ model

/** The version of the protocol; viewers take a message for theirs only if it carries one. */
export const protocolVersion = '0.7.2'

/** What is shown of a session: its latest record, the state it is in, and what brought it there. */
export interface Actor {
  readonly record: SessionRecord
  /** Differs from the record's where a capture moved it: captures are not committed. */
  readonly state: SessionStateName
  readonly event: { readonly type: string; readonly [field: string]: unknown }
  /** Wall clock, milliseconds since the epoch. */
  readonly atMs: number
}

/** A state value as XState nests it: `recovering.verifying` is `{ recovering: 'verifying' }`. */
export type StateValue = string | { readonly [state: string]: StateValue }

interface Shared {
  readonly sessionId: string
  readonly rootId: string
  readonly id: string
  /** Milliseconds since the epoch, as text. */
  readonly createdAt: string
  readonly _version: string
}

interface Snapshot {
  readonly status: 'active' | 'done'
  readonly value: StateValue
  readonly context: Json
}

export interface ActorMessage extends Shared {
  readonly type: '@xstate.actor'
  readonly name: string
  readonly parentId: undefined
  /** The machine, as JSON: what the inspector draws. */
  readonly definition: string
  readonly snapshot: Snapshot
}

export interface EventMessage extends Shared {
  readonly type: '@xstate.event'
  readonly sourceId: undefined
  readonly event: { readonly type: string }
}

export interface SnapshotMessage extends Shared {
  readonly type: '@xstate.snapshot'
  readonly event: { readonly type: string }
  readonly snapshot: Snapshot
}

export type Message = ActorMessage | EventMessage | SnapshotMessage

/** The three messages about one actor, in the order in which a viewer wants them. */
export interface Told {
  readonly actor: ActorMessage
  readonly event: EventMessage
  readonly snapshot: SnapshotMessage
}

// ----------------------------------------------------------------------------------- constructors

/**
 * The machine's definition as the inspector draws it. Its context, which makes each session's own, is
 * left out: a definition is the same for all sessions.
 */
export const definitionOf = (machine: SessionMachine): string =>
  JSON.stringify(withoutSecrets({ shown: { ...machine.config, context: undefined } }, []).shown)

/** A state's name, nested as XState nests it. */
export const stateValue = (state: SessionStateName): StateValue =>
  state
    .split('.')
    .reduceRight<StateValue | undefined>(
      (inner, name) => (inner === undefined ? name : { [name]: inner }),
      undefined,
    ) ?? state

const longestId = 256

// Each message carries the id thrice; two long ones that begin alike stay apart.
const actorId = (sessionId: string): string =>
  sessionId.length <= longestId
    ? sessionId
    : `${sessionId.slice(0, longestId - 36)}${digest(sessionId)}`

/**
 * Tells about actors of a policy's machine, without secrets and in bounds.
 *
 * @param nextId gives each message an id of its own.
 */
export const teller = (policy: Policy, nextId: () => string): ((actor: Actor) => Told) => {
  const definition = definitionOf(sessionMachine(policy))
  return ({ record, state, event, atMs }) => {
    const clean = withoutSecrets({ event, context: record.control }, policy.secretNames)
    const sessionId = actorId(record.control.sessionId)
    const shared = () => ({
      sessionId,
      rootId: sessionId,
      id: nextId(),
      createdAt: String(atMs),
      _version: protocolVersion,
    })
    const snapshot: Snapshot = {
      status: state === 'unregistered' ? 'done' : 'active',
      value: stateValue(state),
      context: bounded(clean.context),
    }
    const shown = { ...fieldsOf(bounded(clean.event)), type: event.type }
    return {
      actor: {
        ...shared(),
        type: '@xstate.actor',
        name: sessionId,
        parentId: undefined,
        definition,
        snapshot,
      },
      event: { ...shared(), type: '@xstate.event', sourceId: undefined, event: shown },
      snapshot: { ...shared(), type: '@xstate.snapshot', event: shown, snapshot },
    }
  }
}

const fieldsOf = (value: Json): object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
