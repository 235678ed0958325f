/**
 * The line of a snapshot's body: in clear, or sealed where the store has a key. Which of the two it is its
 * kind says, so that no content can pass for the other.
 */
import type { Json, SealBroken, StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { type Line, type LineText, lineText, readLine } from './line.js'
import type { SealError, Sealer, SealPlace } from './seal.js'
import type { SessionIndex } from './session-index.js'
import { keyMissing, sealBroken } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

/** A body as it is written. */
export interface BodyLine {
  readonly line: LineText
  /** The id of the key that sealed it. */
  readonly key: string | undefined
  /** How long it is in clear: limits are on what is kept, not on how. */
  readonly clearBytes: number
}

/** With which key a session's snapshot is sealed; `undefined`: it stands in clear. */
export interface SealedWith {
  readonly sessionId: string
  readonly key?: string | undefined
}

// ----------------------------------------------------------------------------------- constructors

/** What the seal of a snapshot is bound to. */
export const snapshotPlace = (
  sessionId: string,
  incarnation: number,
  generation: number,
): SealPlace => ['snapshot', sessionId, incarnation, generation]

export const bodyLineOf = (sealer: Sealer, body: Json, place: SealPlace): BodyLine => {
  const key = sealer.current
  const clear = JSON.stringify(body)
  if (key === undefined) {
    const line = lineText('body', clear)
    return { line, key, clearBytes: line.length }
  }
  const line = lineText('sealed', JSON.stringify(sealer.seal(clear, place)))
  return { line, key, clearBytes: Buffer.byteLength(clear) }
}

// ------------------------------------------------------------------------------------ combinators

/** What a body's line says; `damaged`: nothing that could be used, whatever the keys. */
export const bodyIn = (
  sealer: Sealer,
  line: Line,
  place: SealPlace,
  what: string,
): E.Either<SealError | { readonly _tag: 'damaged'; readonly problem: string }, Json> => {
  const payload = line.payload()
  if (E.isLeft(payload)) return E.left({ _tag: 'damaged', problem: payload.left })
  return line.kind === 'sealed'
    ? sealer.open(payload.right, place, what)
    : sealer.accept(payload.right as Json, what)
}

/** The line of a body under the current key, where it stands under another and can be opened. */
export const resealed = (sealer: Sealer, bytes: Buffer, place: SealPlace): BodyLine | undefined => {
  const line = readLine(bytes)
  if (sealer.current === undefined || E.isLeft(line)) return undefined
  const clear = bodyIn(sealer, line.right, place, 'snapshot')
  return E.isRight(clear) ? bodyLineOf(sealer, clear.right, place) : undefined
}

/** With which keys what an index holds is sealed, but for sessions nobody has asked for. */
export function* sealedIn(index: Pick<SessionIndex, 'asked'>): Iterable<SealedWith> {
  for (const [sessionId, { snapshot }] of index.asked()) {
    if (snapshot !== undefined) yield { sessionId, key: snapshot.key }
  }
}

/**
 * Whether what is held can be read with the keys that were given. A store that could not give back what it
 * holds must not be opened as if it held nothing.
 */
export const unlocked = (
  sealed: Iterable<SealedWith>,
  sealer: Sealer,
): E.Either<StoreError, void> => {
  for (const { sessionId, key } of sealed) {
    const what = `snapshot of session ${sessionId}`
    const refused: E.Either<StoreError, unknown> =
      key === undefined
        ? E.mapLeft(({ message }: SealBroken) =>
            sealBroken(what, `${message}; acceptUnsealed takes it over`),
          )(sealer.accept(null, what))
        : sealer.has(key) || sealer.isLost(key)
          ? E.right(undefined)
          : E.left(keyMissing(key, what))
    if (E.isLeft(refused)) return refused
  }
  return E.right(undefined)
}
