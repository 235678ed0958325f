/**
 * The fingerprint of an update: two that say the same have the same, and no two that differ. It is compared
 * instead of the updates themselves, which are large and not kept.
 */
import { createHash } from 'node:crypto'
import { SnapshotUpdate } from '@session-recovery/core'

export const fingerprintOf = (update: SnapshotUpdate): string =>
  createHash('sha256')
    .update(JSON.stringify(SnapshotUpdate.encode(update)))
    .digest('base64')
