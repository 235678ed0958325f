/**
 * Whether a host's key is the one it is known by: pinned by the app, or in the text of a file in the
 * format of OpenSSH's known_hosts (hashed names, `[host]:port`, wildcards, `@revoked`). Certificates of
 * hosts are not read. Pure.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

// ------------------------------------------------------------------------------------------ model

export type KeyVerdict =
  | 'known'
  /** Nothing is known of this host. */
  | 'unknown'
  /** It is known by other keys. */
  | 'changed'
  | 'revoked'

/** Judges a key, in the form it has on the wire. */
export interface KeyBook {
  readonly judge: (key: Buffer) => KeyVerdict
  /** The types of key the host is known by, as far as they can be told: it is asked for these first. */
  readonly types: readonly string[]
}

interface Entry {
  readonly marker: string
  readonly names: string
  readonly type: string
  readonly key: Buffer
}

// ----------------------------------------------------------------------------------- constructors

/** The fingerprint of a key, as OpenSSH writes it. */
export const fingerprintOf = (key: Buffer): string =>
  `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`

/** Knows a host by fingerprints or public keys. */
export const pinnedBook = (pins: readonly string[]): KeyBook => {
  const known = pins.map((pin) => pin.trim().replace(/=+$/, ''))
  const isPinned = (key: Buffer): boolean =>
    known.some((pin) =>
      pin.startsWith('SHA256:')
        ? pin === fingerprintOf(key)
        : same(key, Buffer.from(pin.split(/\s+/)[1] ?? '', 'base64')),
    )
  return {
    judge: (key) => (isPinned(key) ? 'known' : 'changed'),
    types: known
      .filter((pin) => !pin.startsWith('SHA256:'))
      .map((pin) => pin.split(/\s+/)[0] ?? ''),
  }
}

/** Knows a host by the text of a known_hosts file. */
export const knownHostsBook = (text: string, host: string, port: number): KeyBook => {
  const name = (port === 22 ? host : `[${host}]:${port}`).toLowerCase()
  const entries = text
    .split('\n')
    .flatMap(entryOf)
    .filter(({ names }) => namesMatch(names, name))
  const revoked = entries.filter(({ marker }) => marker === '@revoked')
  const own = entries.filter(({ marker }) => marker === '')
  return {
    judge: (key) => {
      if (revoked.some((entry) => same(entry.key, key))) return 'revoked'
      if (own.some((entry) => same(entry.key, key))) return 'known'
      return own.length > 0 ? 'changed' : 'unknown'
    },
    types: own.map(({ type }) => type),
  }
}

// ------------------------------------------------------------------------------------ combinators

const same = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b)

const entryOf = (line: string): readonly Entry[] => {
  const words = line.trim().split(/\s+/)
  if (words[0] === '' || words[0]?.startsWith('#') === true) return []
  const marker = words[0]?.startsWith('@') === true ? (words.shift() ?? '') : ''
  const [names, type, key] = words
  return names === undefined || type === undefined || key === undefined
    ? []
    : [{ marker, names, type, key: Buffer.from(key, 'base64') }]
}

const namesMatch = (names: string, name: string): boolean => {
  if (names.startsWith('|')) return hashMatches(names, name)
  const patterns = names.toLowerCase().split(',')
  const isHit = (pattern: string) => patternMatches(pattern, name)
  // A pattern that is denied wins over all others of its line.
  return (
    !patterns.some((pattern) => pattern.startsWith('!') && isHit(pattern.slice(1))) &&
    patterns.some(isHit)
  )
}

const hashMatches = (hashed: string, name: string): boolean => {
  const [, version, salt = '', hash = ''] = hashed.split('|')
  if (version !== '1') return false
  const wanted = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest()
  return same(wanted, Buffer.from(hash, 'base64'))
}

const patternMatches = (pattern: string, name: string): boolean => {
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`).test(name)
}
