/**
 * What the app declares: the hosts it may use, how it logs in there, by which keys it knows them; and
 * what a session asks for. Everything is checked before anything is dialled, and what is wrong is told by
 * the name of its field, never by a value that could be a secret.
 */
import { decode, oneOf, struct, text } from '@session-recovery/core'
import type { OpenOptions, ShellDriverOptions, StartFailure } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

// ------------------------------------------------------------------------------------------ model

/** A secret, or what fetches it when it is needed. It is held no longer than a dial takes. */
export type SecretSource = string | (() => string | Promise<string>)

/** How to log in: one method, tried once. */
export type SshCredential =
  | { readonly _tag: 'password'; readonly password: SecretSource }
  /** `privateKey`: the text of the key, as in its file. */
  | {
      readonly _tag: 'private-key'
      readonly privateKey: SecretSource
      readonly passphrase?: SecretSource
    }
  /** `identity`: the fingerprint (`SHA256:…`) of the one key to offer; absent: the agent's first. */
  | { readonly _tag: 'agent'; readonly socketPath: SecretSource; readonly identity?: string }

/** By what a host is known. There is no way to do without. */
export type SshHostKeys =
  /** Fingerprints (`SHA256:…`) or public keys (`ssh-ed25519 AAAA…`). */
  | { readonly _tag: 'pinned'; readonly keys: readonly string[] }
  /** The path of a file in the format of OpenSSH's known_hosts. */
  | { readonly _tag: 'known-hosts'; readonly path: string }

/**
 * What keeps a session's process when its connection is lost. `auto`: dtach where the host has it, else
 * tmux, else nothing.
 */
export type SshKeeper = 'auto' | 'dtach' | 'tmux' | 'none'

/** A host of the pool. */
export interface SshHostOptions {
  /** A name or an address. */
  readonly host: string
  /** Default 22. */
  readonly port?: number
  readonly user: string
  readonly credential: SshCredential
  readonly hostKeys: SshHostKeys
  /** What a session may require of a host. */
  readonly labels?: readonly string[]
  /** Default `auto`. */
  readonly keeper?: SshKeeper
}

export interface SshDriverOptions extends ShellDriverOptions {
  /** The hosts that sessions may use, the best first. */
  readonly hosts: readonly SshHostOptions[]
  /**
   * Sessions of one host, and those that log in there as one user, are recovered together: one canary
   * finds out whether the host is back, and they are let go in stages. They wait as long as it is dead, and
   * use up no attempt. Default false: each is recovered by itself.
   */
  readonly sharesFate?: boolean
  /** How often a silent connection is asked for a sign of life. Default 5,000. */
  readonly keepaliveIntervalMs?: number
  /**
   * How many signs of life may be missing; a connection is lost at the latest after
   * `keepaliveIntervalMs × (keepaliveCount + 1)`. Default 2.
   */
  readonly keepaliveCount?: number
  /**
   * How long it may take to connect and log in, what the app's own source of secrets takes for its answer
   * included. Default 10,000.
   */
  readonly dialTimeoutMs?: number
}

/** The host of the pool that a session asks for. */
export interface SshAddress {
  readonly host: string
  /** Default: any the pool has for `host`. */
  readonly port?: number
  /** Default: any the pool has for `host`. */
  readonly user?: string
}

export interface SshOpenOptions extends OpenOptions {
  readonly sshOptions: SshAddress
  /** The labels of every host the session may ever run on. */
  readonly requires?: readonly string[]
}

// ----------------------------------------------------------------------------------------- codecs

const refinedText = (name: string, pattern: RegExp) => {
  const is = (u: unknown): u is string => typeof u === 'string' && pattern.test(u)
  return new t.Type<string, string, unknown>(
    name,
    is,
    (u, c) => (is(u) ? t.success(u) : t.failure(u, c)),
    t.identity,
  )
}

/** A host's name or address. */
export const HostName = refinedText(
  "host name or address of letters, digits, '.', '-', '_', ':' and '%'",
  /^[A-Za-z0-9_:.][A-Za-z0-9_:.%-]{0,254}$/,
)

/** A user's name. */
export const UserName = refinedText(
  'user name without spaces, control characters and a dash in front',
  /^(?!-)[^\s\p{C}]{1,255}$/u,
)

const isPort = (u: unknown): u is number =>
  typeof u === 'number' && Number.isInteger(u) && u >= 1 && u <= 65_535

/** A TCP port. */
export const Port = new t.Type<number, number, unknown>(
  'port from 1 to 65535',
  isPort,
  (u, c) => (isPort(u) ? t.success(u) : t.failure(u, c)),
  t.identity,
)

const labels = t.array(text, 'labels')

const Keeper = oneOf<SshKeeper>('keeper', 'auto', 'dtach', 'tmux', 'none')

/** What of a host's declaration is no secret. */
export const DeclaredHost = struct(
  'SSH host',
  { host: HostName, user: UserName },
  { port: Port, labels, keeper: Keeper },
)

/** What a session's options say about its host. */
export const Wish = struct(
  'session options',
  { sshOptions: struct('SSH address', { host: HostName }, { port: Port, user: UserName }) },
  { requires: labels },
)
export type Wish = t.TypeOf<typeof Wish>

// ------------------------------------------------------------------------------------ combinators

/** Reads what a session asks for. */
export const wishOf = (options: unknown): E.Either<StartFailure, Wish> =>
  E.mapLeft(({ path, message }: { readonly path: string; readonly message: string }) => ({
    detail: message,
    field: path,
    permanent: true,
  }))(decode(Wish, 'session options')(options))

/** A host of the pool, checked. */
export interface PoolHost {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly credential: SshCredential
  readonly hostKeys: SshHostKeys
  readonly labels: readonly string[]
  readonly keeper: SshKeeper
}

const defaultPort = 22

/** Checks a declared host. @param at where it stands, for the error: `hosts.0`. */
export const poolHostOf = (
  declared: SshHostOptions,
  at: string,
): E.Either<StartFailure, PoolHost> => {
  const wrong = (field: string, message: string) =>
    E.left({ detail: message, field: `${at}.${field}`, permanent: true })
  const read = decode(DeclaredHost, at)(declared)
  if (E.isLeft(read)) return wrong(read.left.path, read.left.message)
  const field = wrongField(declared)
  if (field !== undefined) return wrong(field, `${at}: ${field}: missing, or not of its type`)
  const { host, user, port, labels, keeper } = read.right
  const { credential, hostKeys } = declared
  return E.right({
    host,
    user,
    credential,
    hostKeys,
    port: port ?? defaultPort,
    labels: labels ?? [],
    keeper: keeper ?? 'auto',
  })
}

// A fingerprint, or a public key with or without a comment.
const pin = /^\s*(SHA256:[A-Za-z0-9+/]{43}=?|(ssh|ecdsa)-\S+ [A-Za-z0-9+/]{40,}=*( .*)?)\s*$/

// Told by hand: a codec's error would show the value.
const wrongField = ({ credential, hostKeys }: SshHostOptions): string | undefined => {
  const isSource = (source: unknown): boolean =>
    typeof source === 'function' || (typeof source === 'string' && source !== '')
  const isPin = (value: unknown): boolean => typeof value === 'string' && pin.test(value)
  const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
  switch (credential?._tag) {
    case 'password':
      if (!isSource(credential.password)) return 'credential.password'
      break
    case 'private-key':
      if (!isSource(credential.privateKey)) return 'credential.privateKey'
      if (credential.passphrase !== undefined && !isSource(credential.passphrase)) {
        return 'credential.passphrase'
      }
      break
    case 'agent':
      if (!isSource(credential.socketPath)) return 'credential.socketPath'
      if (credential.identity !== undefined && !isText(credential.identity)) {
        return 'credential.identity'
      }
      break
    default:
      return 'credential'
  }
  switch (hostKeys?._tag) {
    case 'pinned':
      return Array.isArray(hostKeys.keys) && hostKeys.keys.length > 0 && hostKeys.keys.every(isPin)
        ? undefined
        : 'hostKeys.keys'
    case 'known-hosts':
      return isText(hostKeys.path) ? undefined : 'hostKeys.path'
    default:
      return 'hostKeys'
  }
}
