/**
 * Processes that were to be ended while their host could not be reached. Such a one may still be found
 * again; only when another has taken its place, or none ever will, is it owed its end, which comes when
 * its host is reached. Which of the two is known first does not matter.
 */

// ------------------------------------------------------------------------------------------ model

/** Runs a script on a host as soon as there is a line to it. */
export type Owe = (script: string) => void

/** A process that is being ended. */
export interface Ending {
  readonly done: () => void
  /** It could not be ended: `script` would do it, where `owe` runs it. */
  readonly missed: (owe: Owe, script: string) => void
}

export interface Ledger {
  /** The session's process is to be ended from now on. */
  readonly ending: (sessionId: string) => Ending
  /** The session's process was found again. */
  readonly found: (sessionId: string) => void
  /** Another process has taken its place, or the session is over: it is not looked for again. */
  readonly replaced: (sessionId: string) => void
}

interface Entry {
  isReplaced: boolean
  isFound: boolean
  end: (() => void) | undefined
}

// ----------------------------------------------------------------------------------- constructors

export const ledgerOf = (): Ledger => {
  const entries = new Map<string, Set<Entry>>()
  const remove = (sessionId: string, entry: Entry): void => {
    const own = entries.get(sessionId)
    own?.delete(entry)
    if (own?.size === 0) entries.delete(sessionId)
  }
  return {
    ending: (sessionId) => {
      const entry: Entry = { isReplaced: false, isFound: false, end: undefined }
      const own = entries.get(sessionId) ?? new Set()
      entries.set(sessionId, own.add(entry))
      return {
        done: () => remove(sessionId, entry),
        missed: (owe, script) => {
          if (entry.isReplaced) owe(script)
          else if (!entry.isFound) {
            entry.end = () => owe(script)
            return
          }
          remove(sessionId, entry)
        },
      }
    },
    found: (sessionId) => {
      for (const entry of entries.get(sessionId) ?? []) entry.isFound = true
      entries.delete(sessionId)
    },
    replaced: (sessionId) => {
      for (const entry of entries.get(sessionId) ?? []) {
        entry.isReplaced = true
        entry.end?.()
        if (entry.end !== undefined) remove(sessionId, entry)
      }
    },
  }
}
