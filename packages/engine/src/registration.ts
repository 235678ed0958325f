/**
 * The edge where an app's registrations and updates come in: checked, and turned into what the engine
 * keeps. What cannot be stored is refused here, with the field named, before anything is lost.
 */
import {
  applicationJson,
  type DecodeError,
  decode,
  isShellCommand,
  type KnownOptions,
  knownOptions,
  type Policy,
  type RecoverySnapshot,
  type Redacted,
  redact,
  SnapshotUpdate,
  Traits,
  unstorable,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Registration } from './face.js'

const refusedAt = (subject: string, path: string, expected: string): DecodeError => ({
  _tag: 'DecodeError',
  subject,
  path,
  expected,
  actual: 'something else',
  message: `${subject}: ${path}: expected ${expected}`,
})

/** What is declared of a session, and what is known of it then, its secrets taken out. */
export interface CheckedRegistration {
  readonly traits: Traits
  readonly first: Redacted
}

/** What is declared of a session and known of it, or the first field that cannot be accepted. */
export const checkedRegistration = (
  sessionId: string,
  registration: Registration,
  {
    failureExitCodes,
    secretNames: declaredNames,
  }: Pick<Policy, 'failureExitCodes' | 'secretNames'>,
  derived: (sessionOptions: unknown) => readonly string[] = () => [],
): E.Either<DecodeError, CheckedRegistration> => {
  if (typeof sessionId !== 'string' || sessionId === '') {
    return E.left(refusedAt('registration', 'sessionId', 'non-empty text'))
  }
  for (const name of ['sessionState', 'sessionOptions'] as const) {
    const path = unstorable(registration[name])
    if (path !== undefined) {
      return E.left(refusedAt('registration', [name, ...path].join('.'), 'something JSON can hold'))
    }
  }
  const known = knownOptions(registration.sessionOptions)
  const declared = registration.failureExitCodes ?? []
  const domains = domainsOf(registration.domains, derived(registration.sessionOptions))
  const traits = traitsOf({
    kind: known.kind,
    attended: registration.attended ?? true,
    shell: registration.shell ?? isShellCommand(known.command),
    rerunnable: registration.rerunnable ?? false,
    idempotentCommands: registration.idempotentCommands ?? [],
    ...(domains === undefined ? {} : { domains }),
    failureExitCodes: Array.isArray(declared) ? [...declared, ...failureExitCodes] : declared,
  })
  if (E.isLeft(traits)) return traits
  // A line must be known to the letter, and without its secret it never is; an id is told to everybody.
  const commandHistory = [...traits.right.idempotentCommands, sessionId]
  const whole = snapshotOf(sessionId, registration, known, new Date(0))
  const first = redact({ ...whole, commandHistory }, declaredNames)
  const clean = first.snapshot.commandHistory
  const told = commandHistory.findIndex((line, i) => line !== clean[i])
  if (told < 0) {
    const snapshot = { ...first.snapshot, commandHistory: [] }
    return E.right({ traits: traits.right, first: { ...first, snapshot } })
  }
  return told === commandHistory.length - 1
    ? E.left(refusedAt('registration', 'sessionId', 'an id without a secret'))
    : E.left(refusedAt('registration', `idempotentCommands.${told}`, 'a line without a secret'))
}

/** What is well-formed reads as it is: only of what is not the place has to be told. */
const traitsOf = (declared: unknown): E.Either<DecodeError, Traits> =>
  Traits.is(declared) ? E.right(declared) : decode(Traits, 'registration')(declared)

/** Each once, in the order of their names: the same whoever names them. What is no list is left to the codec. */
const domainsOf = (declared: unknown, derived: readonly string[]): unknown => {
  if (declared !== undefined && !Array.isArray(declared)) return declared
  const all = [...new Set([...(declared ?? []), ...derived])]
  return all.length === 0 ? undefined : all.sort()
}

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined

/** The update with unknown fields dropped, or the first field that cannot be accepted. */
export const checkedUpdate = (update: unknown): E.Either<DecodeError, SnapshotUpdate> => {
  const sessionState = fieldOf(update, 'sessionState')
  const path = unstorable(sessionState)
  if (path !== undefined) {
    const at = ['sessionState', ...path].join('.')
    return E.left(refusedAt('snapshot update', at, 'something JSON can hold'))
  }
  // The codec reads what is stored: a live date, taken for that, would come out as an empty object.
  const stored =
    sessionState === undefined
      ? update
      : { ...Object(update), sessionState: applicationJson.encode(sessionState) }
  return decode(SnapshotUpdate, 'snapshot update')(stored)
}

/** What is known of a session when it is registered: what is not, stays unknown. */
export const firstSnapshot = (
  sessionId: string,
  registration: Registration,
  timestamp: Date,
): RecoverySnapshot =>
  snapshotOf(sessionId, registration, knownOptions(registration.sessionOptions), timestamp)

const snapshotOf = (
  sessionId: string,
  { sessionState = null, sessionOptions = null }: Registration,
  known: KnownOptions,
  timestamp: Date,
): RecoverySnapshot => ({
  sessionId,
  timestamp,
  sessionState,
  sessionOptions,
  environment: { ...known.environment },
  workingDirectory: known.workingDirectory,
  commandHistory: [],
  outputBuffer: [],
})
