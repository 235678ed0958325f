/**
 * What of a snapshot is small, kept in memory: an update that brings all that is large anew, as a whole capture
 * does, is merged into it, and what is stored need not be read for that.
 */
import type { Json, SnapshotUpdate } from '@session-recovery/core'

// ------------------------------------------------------------------------------------------ model

export interface Remainder {
  /** As JSON, which is smaller than what it is read to. */
  readonly text: string
  readonly hasShell: boolean
}

/** Characters of one: there are as many as sessions. What is more is read when it is needed. */
export const remainderLimit = 512

// ----------------------------------------------------------------------------------- constructors

/** What is left of a stored snapshot without what is large; `undefined`: too much. */
export const remainderOf = (body: Readonly<Record<string, unknown>>): Remainder | undefined => {
  const { sessionId: _, timestamp: __, shell, ...rest } = body
  const text = JSON.stringify({ ...rest, environment: {}, commandHistory: [], outputBuffer: [] })
  return text.length > remainderLimit ? undefined : { text, hasShell: shell !== undefined }
}

// ------------------------------------------------------------------------------------ combinators

/** Whether all that is large comes with `update`. */
export const isWhole = (
  { hasShell }: Remainder,
  { environment, commandHistory, outputBuffer, shell }: SnapshotUpdate,
): boolean =>
  environment !== undefined &&
  commandHistory !== undefined &&
  outputBuffer !== undefined &&
  (shell !== undefined || !hasShell)

/** The remainder as a stored snapshot of `sessionId`, to be read as one. */
export const bodyOf = ({ text }: Remainder, sessionId: string): Json => ({
  ...JSON.parse(text),
  sessionId,
  timestamp: new Date(0).toISOString(),
})
