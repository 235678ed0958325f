/**
 * One connection to a host: dialled within a bound, with a host key that is known, a credential that is
 * tried once, and keepalives by which a silent connection is told as lost within a bound.
 */
import { readFile } from 'node:fs/promises'
import type { Cancellation, Clock } from '@session-recovery/core'
import { type StartFailure, type TerminalSize, waitFor } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import ssh2, { type ClientChannel, type ServerHostKeyAlgorithm } from 'ssh2'
import { type Admission, calledOff } from './admission.js'
import { type Bound, remainingMs, settledWithin } from './bound.js'
import { type Login, loginOf } from './credential.js'
import { fingerprintOf, type KeyBook, knownHostsBook, pinnedBook } from './known-host.js'
import type { PoolHost } from './option.js'

// ------------------------------------------------------------------------------------------ model

export interface Connection {
  /** Runs a command line of the user's shell; `size`: on a terminal of its own. */
  readonly run: (
    commandLine: string,
    size?: TerminalSize,
  ) => Promise<E.Either<string, ClientChannel>>
  /** Why it is lost; `undefined` while it stands. */
  readonly lost: () => string | undefined
  /** Calls `told` once it is lost; returns what stops that. */
  readonly onLost: (told: (detail: string) => void) => () => void
  /** Gives it up; nothing of it is left when this resolves. */
  readonly close: () => Promise<void>
}

export interface DialOptions {
  readonly clock: Clock
  readonly admission: Admission
  readonly keepaliveIntervalMs: number
  readonly keepaliveCount: number
  readonly dialTimeoutMs: number
}

export type Dialled = E.Either<StartFailure, Connection>

// What ssh2 tells with an error besides its text.
interface Told extends Error {
  readonly level?: string
}

const closedWithinMs = 500

// ----------------------------------------------------------------------------------- constructors

/**
 * Connects with a host and logs in.
 *
 * @param again the app asked for it: a credential that was refused may be tried once more.
 */
export const dial = async (
  host: PoolHost,
  options: DialOptions,
  again: boolean,
  signal: Cancellation | undefined,
): Promise<Dialled> => {
  const { clock, dialTimeoutMs, admission } = options
  const bound = { clock, untilMs: clock.monotonicMs() + dialTimeoutMs, signal }
  // The app's own function may never answer, nor a file that is far away.
  const prepared = await settledWithin(bound, Promise.all([bookOf(host), loginOf(host)]))
  if (prepared._tag === 'cancelled') return E.left(calledOff)
  if (prepared._tag === 'too-late') {
    const detail = `${nameOf(host)}: its key and credential were not there within ${dialTimeoutMs} ms`
    return E.left({ detail })
  }
  const [book, login] = prepared.value
  if (E.isLeft(book)) return book
  if (E.isLeft(login)) return login
  const { mark } = login.right
  return admission.enter({ mark, place: nameOf(host), again, bound }, () =>
    dialWith(login.right, book.right, host, options, bound),
  )
}

/** A host as a person reads it. */
export const nameOf = ({ user, host, port }: PoolHost): string => `${user}@${host}:${port}`

const dialWith = async (
  { method }: Login,
  book: KeyBook,
  host: PoolHost,
  options: DialOptions,
  bound: Bound,
): Promise<Dialled> => {
  const name = nameOf(host)
  const { signal } = bound
  if (signal?.aborted === true) return E.left(calledOff)
  const attempt = attempted(host, book, method, options)
  const outcome = await waitFor(
    {
      clock: options.clock,
      withinMs: remainingMs(bound),
      wakeBy: attempt.wakeBy,
      ...(signal === undefined ? {} : { signal }),
    },
    attempt.outcome,
  )
  if (outcome._tag === 'seen' && outcome.value === 'ready') {
    return E.right(connectionOver(attempt.client, attempt.lastError, options.clock))
  }
  attempt.client.destroy()
  if (outcome._tag === 'cancelled') return E.left(calledOff)
  if (outcome._tag === 'too-late') {
    return E.left({ detail: `${name}: no connection within ${options.dialTimeoutMs} ms` })
  }
  const rejected = attempt.rejected()
  if (rejected !== undefined) {
    return E.left({ detail: `${name}: ${rejected}`, permanent: true, hostKeyRefused: true })
  }
  const error = attempt.lastError()
  if (error?.level === 'client-authentication') {
    const detail = `${name}: the ${host.credential._tag} was refused`
    return E.left({ detail, credentialRefused: true })
  }
  return E.left({ detail: `${name}: ${error?.message ?? 'the connection was closed'}` })
}

// ------------------------------------------------------------------------------------ combinators

const bookOf = async ({
  hostKeys,
  host,
  port,
}: PoolHost): Promise<E.Either<StartFailure, KeyBook>> => {
  if (hostKeys._tag === 'pinned') return E.right(pinnedBook(hostKeys.keys))
  try {
    return E.right(knownHostsBook(await readFile(hostKeys.path, 'utf8'), host, port))
  } catch {
    return E.left({ detail: `${hostKeys.path} cannot be read: no host is known`, permanent: true })
  }
}

interface Attempt {
  readonly client: ssh2.Client
  readonly outcome: () => 'ready' | 'failed' | undefined
  readonly wakeBy: (wake: () => void) => () => void
  readonly lastError: () => Told | undefined
  /** Why the host's key was not taken. */
  readonly rejected: () => string | undefined
}

const attempted = (
  { host, port, user }: PoolHost,
  book: KeyBook,
  method: ssh2.AnyAuthMethod,
  { keepaliveIntervalMs, keepaliveCount }: DialOptions,
): Attempt => {
  const client = new ssh2.Client()
  const wakes = new Set<() => void>()
  let state: 'ready' | 'failed' | undefined
  let error: Told | undefined
  let rejected: string | undefined
  const become = (next: 'ready' | 'failed') => () => {
    state ??= next
    for (const wake of [...wakes]) wake()
  }
  client.on('ready', become('ready'))
  client.on('error', (told: Told) => {
    // The first says why; what follows says that it is over.
    error ??= told
    if (told.level !== 'agent') become('failed')()
  })
  client.on('close', become('failed'))
  try {
    client.connect({
      host,
      port,
      username: user,
      // The dial has a bound of its own, over all of it.
      readyTimeout: 0,
      keepaliveInterval: keepaliveIntervalMs,
      keepaliveCountMax: keepaliveCount,
      authHandler: [method],
      algorithms: { serverHostKey: algorithmsFor(book.types) },
      hostVerifier: (key: Buffer) => {
        const verdict = book.judge(key)
        if (verdict !== 'known') rejected = `its key ${fingerprintOf(key)} is ${verdict}`
        return verdict === 'known'
      },
    })
    client.setNoDelay(true)
  } catch (thrown) {
    error = thrown instanceof Error ? thrown : new Error(String(thrown))
    become('failed')()
  }
  return {
    client,
    outcome: () => state,
    lastError: () => error,
    rejected: () => rejected,
    wakeBy: (wake) => {
      wakes.add(wake)
      return () => wakes.delete(wake)
    },
  }
}

const hostKeyAlgorithms: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
]

// A host has several keys; it must show the one it is known by.
const algorithmsFor = (types: readonly string[]): ServerHostKeyAlgorithm[] => {
  const isKnown = (algorithm: string): boolean =>
    types.includes(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm)
  return [
    ...hostKeyAlgorithms.filter(isKnown),
    ...hostKeyAlgorithms.filter((algorithm) => !isKnown(algorithm)),
  ]
}

const connectionOver = (
  client: ssh2.Client,
  lastError: () => Error | undefined,
  clock: Clock,
): Connection => {
  const listeners = new Set<(detail: string) => void>()
  let lost: string | undefined
  let isOver = false
  const wakes = new Set<() => void>()
  const lose = (detail: string): void => {
    if (lost !== undefined) return
    lost = detail
    for (const told of [...listeners]) told(detail)
    listeners.clear()
  }
  client.on('end', () => lose(lastError()?.message ?? 'the other side ended the connection'))
  client.on('close', () => {
    isOver = true
    lose(lastError()?.message ?? 'the connection was closed')
    for (const wake of [...wakes]) wake()
  })
  client.on('error', (error: Error) => lose(error.message))
  return {
    run: (commandLine, size) =>
      new Promise((resolve) => {
        if (lost !== undefined) return resolve(E.left(lost))
        const stopHearing = hear(listeners, (detail) => resolve(E.left(detail)))
        const done = (error: Error | undefined, channel: ClientChannel): void => {
          stopHearing()
          resolve(error === undefined ? E.right(channel) : E.left(error.message))
        }
        try {
          if (size === undefined) client.exec(commandLine, done)
          else client.exec(commandLine, { pty: { ...size, term: 'xterm-256color' } }, done)
        } catch (error) {
          stopHearing()
          resolve(E.left(error instanceof Error ? error.message : String(error)))
        }
      }),
    lost: () => lost,
    onLost: (told) => {
      if (lost === undefined) return hear(listeners, told)
      told(lost)
      return () => {}
    },
    close: async () => {
      listeners.clear()
      const wasLost = lost !== undefined
      lost ??= 'it was closed'
      if (isOver) return
      if (wasLost) client.destroy()
      else client.end()
      const over = await waitFor(
        {
          clock,
          withinMs: closedWithinMs,
          wakeBy: (wake) => {
            wakes.add(wake)
            return () => wakes.delete(wake)
          },
        },
        () => (isOver ? true : undefined),
      )
      if (over._tag !== 'seen') client.destroy()
    },
  }
}

const hear = (
  listeners: Set<(detail: string) => void>,
  told: (detail: string) => void,
): (() => void) => {
  listeners.add(told)
  return () => listeners.delete(told)
}
