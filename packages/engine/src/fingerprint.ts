/**
 * The fingerprint of an update: two that say the same have the same, and no two that differ. It is compared
 * instead of the updates themselves, which are large and not kept.
 */
import { hash } from 'node:crypto'
import { applicationJson, type SnapshotUpdate } from '@session-recovery/core'

export const fingerprintOf = (update: SnapshotUpdate): string =>
  hash('sha256', JSON.stringify(encoded(update)), 'base64')

// All else reads in JSON as it is stored.
const encoded = (update: SnapshotUpdate) => {
  const { sessionState } = update
  if (sessionState === undefined) return update
  return { ...update, sessionState: applicationJson.encode(sessionState) }
}
