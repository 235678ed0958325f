/**
 * The default keeper of secrets: in memory, until the process ends. A secret that must outlive the app
 * needs a keeper of the app's own; without one it is `lost` in the receipt of a recovery after a restart.
 */
import type { Secrets } from '@session-recovery/core'
import * as TE from 'fp-ts/lib/TaskEither.js'

/** Secrets in memory. */
export const memorySecrets = (): Secrets => {
  const values = new Map<string, string>()
  return {
    put: (reference, value) => TE.fromIO(() => void values.set(reference, value)),
    get: (reference) => async () => {
      const value = values.get(reference)
      const message = 'nobody has this secret any more'
      return TE.fromNullable({ _tag: 'SecretMissing' as const, reference, message })(value)()
    },
  }
}
