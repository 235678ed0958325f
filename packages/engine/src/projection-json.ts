/**
 * Projections as a checkpoint carries them: there may be thousands of histories, and the app has its turns while
 * they are encoded.
 */
import {
  type Clock,
  type Json,
  type Projection,
  SessionHistory,
  Tally,
} from '@session-recovery/core'

/** So many attempts are encoded in one turn of the loop: some 3 ms. */
const attemptsPerTurn = 500

export const projectionJson = async (
  { schedule }: Pick<Clock, 'schedule'>,
  { tally, histories }: Projection,
): Promise<Json> => {
  const encoded: Json[] = []
  let attempts = 0
  for (const history of histories) {
    if (attempts >= attemptsPerTurn) {
      attempts = 0
      await new Promise<void>((resolve) => void schedule(0, resolve))
    }
    encoded.push(SessionHistory.encode(history))
    attempts += history[1].length
  }
  return { tally: Tally.encode(tally), histories: encoded }
}
