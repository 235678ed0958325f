/**
 * What an inspector may be given, what it is by default, and what is refused.
 */
import { randomBytes } from 'node:crypto'
import type { Logger, Policy } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'

// ------------------------------------------------------------------------------------------ model

/** Bounds on what viewers may cost. */
export interface InspectLimit {
  /** Viewers at one time; further ones are answered 503. Default 16. */
  readonly viewers: number
  /** Sessions and domains kept for those who join late, the most recently active. Default 1,000. */
  readonly sessions: number
  /** Bytes that may wait for one viewer before it is dropped. Default 4 MiB. */
  readonly bufferBytes: number
}

export interface InspectOptions {
  /** The policy of the engine that is looked at: its machine is drawn, its secret names are kept. */
  readonly policy: Policy
  /** 0 to 65535; 0, the default, takes any free port. */
  readonly port?: number
  /** What a viewer must know: 22 to 256 characters of A-Z a-z 0-9 _ -. Default: 128 random bits. */
  readonly token?: string
  /**
   * Origins of pages that may look, e.g. `https://stately.ai`, besides programs (which send none) and
   * pages that this machine serves itself (`http://localhost:PORT`, `http://127.0.0.1:PORT`).
   */
  readonly allowedOrigins?: readonly string[]
  /** As many unpredictable bytes as asked for. Default: the platform's. */
  readonly random?: (bytes: number) => Uint8Array
  readonly logger?: Logger
  readonly limit?: Partial<InspectLimit>
}

/** An option is out of range. */
export interface InvalidOption {
  readonly _tag: 'InvalidOption'
  readonly option: string
  readonly message: string
}

/** The port cannot be listened on. */
export interface ListenFailed {
  readonly _tag: 'ListenFailed'
  readonly port: number
  /** The system's code, e.g. `EADDRINUSE`, where there is one. */
  readonly code?: string
  readonly message: string
}

export type InspectError = InvalidOption | ListenFailed

/** Options with nothing left to decide. */
export interface Settings {
  readonly policy: Policy
  readonly port: number
  readonly token: string
  readonly allowedOrigins: readonly string[]
  readonly logger: Logger
  readonly limit: InspectLimit
}

// ----------------------------------------------------------------------------------- constructors

const tokenBytes = 16
const tokenForm = /^[\w-]{22,256}$/
const largestPort = 65_535

export const defaultLimit: InspectLimit = {
  viewers: 16,
  sessions: 1_000,
  bufferBytes: 4 * 1_024 * 1_024,
}

const invalid = (option: string, expected: string, actual: string): InvalidOption => ({
  _tag: 'InvalidOption',
  option,
  message: `${option} must be ${expected}, not ${actual}`,
})

const isOrigin = (origin: string): boolean =>
  URL.canParse(origin) && new URL(origin).origin === origin

const randomToken = (random: (bytes: number) => Uint8Array): string =>
  Buffer.from(random(tokenBytes)).toString('base64url')

/** Checks options and fills in what is not given; the error names the option. A token is never told. */
export const settingsFrom = (options: InspectOptions): E.Either<InvalidOption, Settings> => {
  const { port = 0, allowedOrigins = [], policy } = options
  const limit = { ...defaultLimit, ...options.limit }
  const token = options.token ?? randomToken(options.random ?? randomBytes)
  if (!Number.isInteger(port) || port < 0 || port > largestPort)
    return E.left(invalid('port', `a whole number from 0 to ${largestPort}`, String(port)))
  if (!tokenForm.test(token))
    return E.left(
      invalid('token', '22 to 256 of A-Z a-z 0-9 _ -', `${token.length} characters such as given`),
    )
  const strange = allowedOrigins.find((origin) => !isOrigin(origin))
  if (strange !== undefined)
    return E.left(invalid('allowedOrigins', 'origins such as https://stately.ai', strange))
  for (const [name, value] of Object.entries(limit)) {
    if (!Number.isSafeInteger(value) || value < 1)
      return E.left(invalid(`limit.${name}`, 'a whole number of at least 1', String(value)))
  }
  const logger = options.logger ?? (() => {})
  return E.right({ policy, port, token, allowedOrigins, logger, limit })
}
