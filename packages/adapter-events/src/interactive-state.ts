/**
 * The dialogue with a session as an app tells it, piece by piece: merging what is new, and remembering
 * since when a session does not answer or its commands wait where the app does not say.
 */
import { emptyInteractiveState, type InteractiveState } from '@session-recovery/core'

/** What an app says of the dialogue; what is `undefined` changes nothing. */
export type InteractiveUpdate = {
  readonly [K in keyof InteractiveState]?: InteractiveState[K] | undefined
}

/** `before` with every field that `update` defines. */
export const withInteractive = (
  before: InteractiveState | undefined,
  update: InteractiveUpdate,
): InteractiveState => ({
  ...emptyInteractiveState,
  ...before,
  ...Object.fromEntries(Object.entries(update).filter(([, value]) => value !== undefined)),
})

/**
 * `after` with `unresponsiveSince` and `pendingSince` as they must be for ages to count from when the thing
 * began. Where a last success is known, ages count from it, as in the seed; where none is, from the first
 * time it was told. A success after that begins anew.
 */
export const withSince = (
  before: InteractiveState | undefined,
  after: InteractiveState,
  now: Date,
): InteractiveState => {
  const { unresponsiveSince: _, pendingSince: __, ...rest } = after
  const last = after.lastSuccessfulCommand
  const unresponsiveSince = after.sessionUnresponsive
    ? since(after.unresponsiveSince ?? before?.unresponsiveSince, last, now)
    : undefined
  const pendingSince =
    after.pendingCommands.length > 0
      ? since(after.pendingSince ?? before?.pendingSince, last, now)
      : undefined
  return {
    ...rest,
    ...(unresponsiveSince === undefined ? {} : { unresponsiveSince }),
    ...(pendingSince === undefined ? {} : { pendingSince }),
  }
}

const since = (told: Date | undefined, last: Date | undefined, now: Date): Date | undefined => {
  if (told !== undefined && (last === undefined || last <= told)) return told
  return last === undefined ? now : undefined
}
