/**
 * A host that is reached over SSH.
 */
import type { Host, Started } from '@session-recovery/shell'
import type { PoolHost } from './option.js'

export interface RemoteHost extends Host {
  readonly close: () => Promise<void>
}

/** The host that was declared. */
export const remoteHost = ({ user, host, port }: PoolHost): RemoteHost => {
  const name = `${user}@${host}:${port}`
  const unreached: Started = { _tag: 'not-started', failure: { detail: `${name} is not reached` } }
  return { name, start: async () => unreached, close: async () => {} }
}
