/**
 * The messages of the Stately inspector's protocol, made from what the engine tells: an actor a session and
 * one a domain, an event a decision, a snapshot the record it led to. The form is that of
 * `@statelyai/inspect` 0.7.2; a test holds the two together.
 */
import {
  type Control,
  type DomainControl,
  type DomainStateName,
  digest,
  type Json,
  type Policy,
  type SessionStateName,
} from '@session-recovery/core'
import { domainMachine, sessionMachine } from '@session-recovery/engine'
import { bounded } from './bound.js'
import { withoutSecrets } from './redaction.js'

// ------------------------------------------------------------------------------------------ model

/** The version of the protocol; viewers take a message for theirs only if it carries one. */
export const protocolVersion = '0.7.2'

/** What is shown of a session or a domain: its latest record, the state it is in, and what brought it there. */
export type Actor = SessionActor | DomainActor

export interface SessionActor extends Shown {
  readonly machine: 'session'
  /** Differs from the record's where a capture moved it: captures are not committed. */
  readonly state: SessionStateName
  readonly control: Control
}

export interface DomainActor extends Shown {
  readonly machine: 'domain'
  readonly state: DomainStateName
  readonly control: DomainControl
}

interface Shown {
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
 * A machine's definition as the inspector draws it. Its context, which makes each actor's own, is left out:
 * a definition is the same for all actors of the machine.
 */
export const definitionOf = ({ config }: { readonly config: object }): string =>
  JSON.stringify(withoutSecrets({ shown: { ...config, context: undefined } }, []).shown)

/** What tells actors apart: a domain may be called as a session is. */
export const actorKey = (machine: Actor['machine'], name: string): string => `${machine} ${name}`

export const nameOf = (actor: Actor): string =>
  actor.machine === 'session' ? actor.control.sessionId : actor.control.domain

/** A state's name, nested as XState nests it. */
export const stateValue = (state: Actor['state']): StateValue =>
  state
    .split('.')
    .reduceRight<StateValue | undefined>(
      (inner, name) => (inner === undefined ? name : { [name]: inner }),
      undefined,
    ) ?? state

const longestId = 256
const domainPrefix = 'domain '

const isLong = (id: string): boolean => id.length > longestId

// Each message carries the id thrice; two long ones that begin alike stay apart.
const shortened = (id: string): string => `${id.slice(0, longestId - 36)}${digest(id)}`

const actorId = (actor: Actor): string => {
  if (actor.machine === 'domain') {
    const id = `${domainPrefix}${actor.control.domain}`
    return isLong(id) ? shortened(id) : id
  }
  const { sessionId } = actor.control
  return isLong(sessionId) || sessionId.startsWith(domainPrefix) ? shortened(sessionId) : sessionId
}

/**
 * Tells about actors of a policy's machines, without secrets and in bounds.
 *
 * @param nextId gives each message an id of its own.
 */
export const teller = (policy: Policy, nextId: () => string): ((actor: Actor) => Told) => {
  const definitions = {
    session: definitionOf(sessionMachine(policy)),
    domain: definitionOf(domainMachine(policy)),
  }
  return (actor) => {
    const { machine, state, control, event, atMs } = actor
    const clean = withoutSecrets({ event, context: control }, policy.secretNames)
    const sessionId = actorId(actor)
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
        definition: definitions[machine],
        snapshot,
      },
      event: { ...shared(), type: '@xstate.event', sourceId: undefined, event: shown },
      snapshot: { ...shared(), type: '@xstate.snapshot', event: shown, snapshot },
    }
  }
}

const fieldsOf = (value: Json): object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
