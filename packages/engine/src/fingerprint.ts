/**
 * The fingerprint of an update: two that say the same have the same, and no two that differ. It is compared
 * instead of the updates themselves, which are large and not kept.
 */
import { hash } from 'node:crypto'
import { applicationJson, type SnapshotUpdate } from '@session-recovery/core'

export const fingerprintOf = (update: SnapshotUpdate): string =>
  hash('sha256', plain(update) ?? JSON.stringify(encoded(update)), 'base64')

/** The same of an update whose bulk is known by other means, which are compared beside it. */
export const fingerprintBesideBulk = ({
  outputBuffer,
  commandHistory,
  ...rest
}: SnapshotUpdate): string => hash('sha256', JSON.stringify(encoded(rest)), 'base64')

// The bulk as it is, behind how long each line of it is: quoting it takes longer than all the rest.
const plain = (update: SnapshotUpdate): string | undefined => {
  const { outputBuffer, commandHistory, ...rest } = update
  const lengths = [lengthsOf(outputBuffer), lengthsOf(commandHistory)]
  const said = JSON.stringify([lengths, encoded(rest)])
  const text = [said].concat(outputBuffer ?? [], commandHistory ?? []).join('')
  // In UTF-8 all halves of a character are alike; as JSON they are not.
  return text.isWellFormed() ? text : undefined
}

const lengthsOf = (lines: readonly string[] | undefined): string | undefined =>
  lines?.map(({ length }) => length).join()

// All else reads in JSON as it is stored.
const encoded = (update: SnapshotUpdate) => {
  const { sessionState } = update
  if (sessionState === undefined) return update
  return { ...update, sessionState: applicationJson.encode(sessionState) }
}
