/** Stores that lie about records and their journal. */
import type { Commit, StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Medium } from './memory-place.js'
import { but, opening, type StoreLie, turn, yes } from './store-lie.js'

/** Takes a commit whatever the store has. */
const force = ({ held }: Medium, { record, entry }: Commit) => {
  const { sessionId } = record.control
  held.sessions.set(sessionId, { record, snapshot: held.sessions.get(sessionId)?.snapshot })
  held.journals.set(sessionId, [...(held.journals.get(sessionId) ?? []), entry])
  held.latestSeq = Math.max(held.latestSeq, entry.seq)
}

export const aboutCommits: readonly StoreLie[] = [
  {
    lie: 'invents a time in an empty place',
    caughtBy: 'an empty place holds nothing',
    tell: but((truth) => ({
      open: opening(truth, (loaded) => ({ ...loaded, latestMs: loaded.latestMs + 1 })),
    })),
  },
  {
    lie: 'takes any revision',
    caughtBy: 'a commit that names another revision is refused',
    tell: but((_, medium) => ({
      commit: (commit) => async () => {
        force(medium, commit)
        return yes
      },
    })),
  },
  {
    lie: 'looks at the revision, and writes later',
    caughtBy: 'of rivals for one revision exactly one is taken',
    tell: but((truth, medium) => ({
      commit: (commit) => async () => {
        const { sessionId } = commit.record.control
        const rev = medium.held.sessions.get(sessionId)?.record.rev ?? 0
        await turn()
        if (rev !== commit.expectedRev) return truth.commit(commit)()
        force(medium, commit)
        return yes
      },
    })),
  },
  {
    lie: 'refuses when much is under way',
    caughtBy: 'commits of many sessions at once are all taken',
    tell: but((truth) => {
      let underWay = 0
      return {
        commit: (commit) => async () => {
          if (underWay >= 16) {
            return E.left({ _tag: 'StoreUnavailable', operation: 'commit', message: 'busy' })
          }
          underWay += 1
          await turn()
          underWay -= 1
          return truth.commit(commit)()
        },
      }
    }),
  },
  {
    lie: 'lets a new incarnation follow the old one',
    caughtBy: 'a new incarnation starts at revision 0 and ends the former',
    tell: but((truth, medium) => ({
      commit: (commit) => async () => {
        const held = medium.held.sessions.get(commit.record.control.sessionId)?.record
        if (held === undefined || held.rev !== commit.expectedRev) return truth.commit(commit)()
        force(medium, commit)
        return yes
      },
    })),
  },
  {
    lie: 'gives the newest entry first',
    caughtBy: "a session's journal is its own, oldest first",
    tell: but((truth) => ({
      readJournal: (id) => async () =>
        E.map((all: readonly never[]) => all.toReversed())(
          (await truth.readJournal(id)()) as E.Either<StoreError, readonly never[]>,
        ),
    })),
  },
  {
    lie: 'hands entries out session by session',
    caughtBy: 'entries are handed out in the order of their places',
    tell: but((truth) => ({
      open: opening(truth, (loaded) => ({
        ...loaded,
        entries: loaded.entries.toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1)),
      })),
    })),
  },
  {
    lie: 'takes A and a for one',
    caughtBy: 'a session id is data, whatever it is',
    tell: but((truth) => ({
      commit: (commit) => {
        const { control } = commit.record
        const sessionId = control.sessionId.toLowerCase()
        return truth.commit({
          ...commit,
          record: { ...commit.record, control: { ...control, sessionId } },
        })
      },
    })),
  },
  {
    lie: 'acknowledges after it was closed',
    caughtBy: 'nothing is acknowledged after closing and then lost',
    tell: but((truth) => {
      let closed = false
      return {
        commit: (commit) => async () => (closed ? yes : truth.commit(commit)()),
        close: async () => {
          closed = true
          await truth.close()
        },
      }
    }),
  },
  {
    lie: 'drops what waits when it is closed, and acknowledges it',
    caughtBy: 'what is acknowledged while it closes is kept',
    tell: but((truth) => {
      let closed = false
      return {
        commit: (commit) => async () => {
          await turn()
          return closed ? yes : truth.commit(commit)()
        },
        close: async () => {
          closed = true
          await truth.close()
        },
      }
    }),
  },
  {
    lie: 'opens once',
    caughtBy: 'a store that was closed opens again',
    tell: but((truth) => {
      let opened = false
      return {
        open: async () => {
          if (opened) return E.left({ _tag: 'StoreUnusable', message: 'it was open before' })
          opened = true
          return truth.open()
        },
      }
    }),
  },
]
