/**
 * Processes that were to be ended while their host could not be reached. Such a one may still be found
 * again; only when another has taken its place is it owed its end, which comes when its host is reached.
 */

// ------------------------------------------------------------------------------------------ model

/** Runs a script on a host as soon as there is a line to it. */
export type Owe = (script: string) => void

export interface Ledger {
  /** The session's process could not be ended: `script` would do it, where `owe` runs it. */
  readonly note: (sessionId: string, owe: Owe, script: string) => void
  /** The session's process was found again. */
  readonly found: (sessionId: string) => void
  /** Another process has taken its place. */
  readonly replaced: (sessionId: string) => void
}

// ----------------------------------------------------------------------------------- constructors

export const ledgerOf = (): Ledger => {
  const noted = new Map<string, readonly (() => void)[]>()
  return {
    note: (sessionId, owe, script) => {
      noted.set(sessionId, [...(noted.get(sessionId) ?? []), () => owe(script)])
    },
    found: (sessionId) => noted.delete(sessionId),
    replaced: (sessionId) => {
      for (const end of noted.get(sessionId) ?? []) end()
      noted.delete(sessionId)
    },
  }
}
