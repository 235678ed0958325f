/**
 * Updates of one session that wait together: the latest wins, and only what they make of the snapshot in the
 * end is written. What is overwritten before it was ever kept may still name a secret that others repeat.
 */
import { joinedUpdate, type SnapshotUpdate } from '@session-recovery/core'

/** What waits, and what each that waits for it is told. */
export interface WaitingUpdate<K> {
  update: SnapshotUpdate
  /** What stands for its output and history, where something does. */
  bulk: object | undefined
  readonly kept: Promise<K>
}

/** Has `later` be kept with what waits. */
export const join = (waiting: WaitingUpdate<unknown>, later: SnapshotUpdate): void => {
  waiting.update = joinedUpdate(waiting.update, later)
  waiting.bulk = undefined
}

/** What of `earlier` could name a secret and is not in `later` any more; `undefined`: nothing. */
export const overwritten = (
  earlier: SnapshotUpdate,
  later: SnapshotUpdate,
): SnapshotUpdate | undefined => {
  const gone: [string, unknown][] = []
  for (const key of naming) {
    const before = earlier[key]
    const after = later[key]
    if (before === undefined || after === undefined || before === after) continue
    const rest = restOf(before, after)
    if (rest !== undefined) gone.push([key, rest])
  }
  return gone.length === 0 ? undefined : Object.fromEntries(gone)
}

// Of output nothing is learnt: it says what programs say.
const naming = [
  'environment',
  'commandHistory',
  'sessionState',
  'errorContext',
  'interactiveState',
  'shell',
] as const

const restOf = (before: unknown, after: unknown): unknown => {
  if (isLines(before) && isLines(after)) {
    // Most often they are the same, or begin alike.
    if (before.every((line, i) => line === after[i])) return undefined
    const still = new Set(after)
    const rest = before.filter((line) => !still.has(line))
    return rest.length === 0 ? undefined : rest
  }
  return isAlike(before, after) ? undefined : before
}

const isAlike = (before: unknown, after: unknown): boolean => {
  if (isRecord(before) && isRecord(after)) {
    const keys = Object.keys(before)
    const isAsLong = keys.length === Object.keys(after).length
    if (isAsLong && keys.every((key) => before[key] === after[key])) return true
  }
  return JSON.stringify(before) === JSON.stringify(after)
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isLines = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((line) => typeof line === 'string')
