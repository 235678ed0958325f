/**
 * The head of a session in a checkpoint: what it says of where the lines stand that follow it.
 */
import type * as t from 'io-ts'
import type { Extent, Held } from './session-index.js'
import type { SessionStatement } from './statement.js'

export type SessionHead = t.TypeOf<typeof SessionStatement>

/** What a head says is held, when the lines that follow it begin at `start` of `segment`. */
export const heldBy = (head: SessionHead, segment: string, start: number): Held => {
  let offset = start
  const entries = head.entries.map((bytes): Extent => {
    offset += bytes
    return { segment, offset: offset - bytes, bytes }
  })
  const { record, forgotten, snapshot } = head
  if (snapshot === undefined) return { record, snapshot, entries, forgotten }
  const { incarnation, view, body } = snapshot
  const place = { segment, offset, bytes: body.bytes }
  const held = { incarnation, view, body: place, bodyCrc: body.crc, key: body.key }
  return { record, snapshot: held, entries, forgotten }
}
