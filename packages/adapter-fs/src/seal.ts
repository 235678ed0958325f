/**
 * Seals: what an app's sessions said and hold is stored encrypted, under a key that only the app has.
 *
 * AES-256-GCM with a new nonce for each seal. What is sealed is bound to its place: the format, the key's
 * id, and whose and which generation it is, are authenticated with it, so that what was changed, or was
 * put where it does not belong, does not open.
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import {
  decode,
  fieldAtFault,
  type Json,
  type KeyMissing,
  type SealBroken,
  struct,
  text,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { SealingOptions } from './sealing.js'
import { keyMissing, sealBroken } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

/** The version of what is sealed; it is authenticated like the rest. */
const sealVersion = 1

/** What is sealed, as it is stored: binary parts in base64, the tag of 16 bytes at the end of `text`. */
export const Sealed = struct('sealed', {
  v: t.literal(sealVersion),
  key: text,
  nonce: t.string,
  text: t.string,
})
export type Sealed = t.TypeOf<typeof Sealed>

/** What a seal is bound to; the parts cannot run into each other. */
export type SealPlace = readonly (string | number)[]

export type SealError = KeyMissing | SealBroken

export interface Sealer {
  /** The id of the key that seals; `undefined`: what is stored is in clear. */
  readonly current: string | undefined
  /** Seals `clear`; only where there is a current key. */
  readonly seal: (clear: string, place: SealPlace) => Sealed
  /** Opens what was sealed at `place`; `what` names it for a person. */
  readonly open: (sealed: unknown, place: SealPlace, what: string) => E.Either<SealError, Json>
  /** What stands in clear, where it may. */
  readonly accept: (clear: Json, what: string) => E.Either<SealBroken, Json>
  readonly has: (keyId: string) => boolean
  /** The app says that nobody has this key any more. */
  readonly isLost: (keyId: string) => boolean
}

const cipher = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

// ----------------------------------------------------------------------------------- constructors

/** @param nonce makes twelve bytes that no other seal of the same key has: by default random ones. */
export const sealerOf = (
  options: SealingOptions | undefined,
  nonce: () => Uint8Array = () => randomBytes(nonceBytes),
): Sealer => {
  const keys = new Map(
    Object.entries(options?.keys ?? {}).map(([id, bytes]) => [id, createSecretKey(bytes)]),
  )
  const lost = new Set(options?.lostKeys ?? [])
  const mayBeClear = options === undefined || options.acceptUnsealed === true
  return {
    current: options?.current,
    seal: (clear, place) => {
      const id = options?.current
      const key = id === undefined ? undefined : keys.get(id)
      if (id === undefined || key === undefined) throw new Error('nothing is sealed without a key')
      return sealed(clear, place, id, key, nonce())
    },
    open: (given, place, what) => {
      const read = decode(Sealed, 'sealed')(given)
      if (E.isLeft(read)) return E.left(sealBroken(what, fieldAtFault(read.left)))
      const key = keys.get(read.right.key)
      return key === undefined
        ? E.left(keyMissing(read.right.key, what))
        : opened(read.right, place, key, what)
    },
    accept: (clear, what) =>
      mayBeClear ? E.right(clear) : E.left(sealBroken(what, 'it is not sealed')),
    has: (id) => keys.has(id),
    isLost: (id) => lost.has(id),
  }
}

// ------------------------------------------------------------------------------------ combinators

const boundTo = (key: string, place: SealPlace): Buffer =>
  Buffer.from(JSON.stringify(['session-recovery', sealVersion, key, ...place]))

const sealed = (
  clear: string,
  place: SealPlace,
  keyId: string,
  key: KeyObject,
  nonce: Uint8Array,
): Sealed => {
  const sealing = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes })
  sealing.setAAD(boundTo(keyId, place))
  const parts = [sealing.update(clear, 'utf8'), sealing.final(), sealing.getAuthTag()]
  return {
    v: sealVersion,
    key: keyId,
    nonce: Buffer.from(nonce).toString('base64'),
    text: Buffer.concat(parts).toString('base64'),
  }
}

const opened = (
  { key: keyId, nonce, text }: Sealed,
  place: SealPlace,
  key: KeyObject,
  what: string,
): E.Either<SealError, Json> => {
  const start = exactBytes(nonce)
  const bytes = exactBytes(text)
  if (start?.length !== nonceBytes) return E.left(sealBroken(what, 'sealed: nonce'))
  if (bytes === undefined || bytes.length < tagBytes) {
    return E.left(sealBroken(what, 'sealed: text'))
  }
  const opening = createDecipheriv(cipher, key, start, { authTagLength: tagBytes })
  opening.setAAD(boundTo(keyId, place))
  opening.setAuthTag(bytes.subarray(-tagBytes))
  try {
    const clear = Buffer.concat([opening.update(bytes.subarray(0, -tagBytes)), opening.final()])
    return E.right(JSON.parse(clear.toString('utf8')) as Json)
  } catch {
    return E.left(sealBroken(what, 'changed, moved, or sealed with another key of that id'))
  }
}

// Other texts stand for the same bytes: a reader that takes them would not see every change.
const exactBytes = (base64: string): Buffer | undefined => {
  const bytes = Buffer.from(base64, 'base64')
  return bytes.toString('base64') === base64 ? bytes : undefined
}
