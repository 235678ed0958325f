/** Stores that lie about snapshots, archives and checkpoints. */
import type { StoredSnapshot } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { mediumCopy } from './memory-place.js'
import { but, type StoreLie, turn, yes } from './store-lie.js'

export const aboutSnapshots: readonly StoreLie[] = [
  {
    lie: 'keeps the snapshot that came last',
    caughtBy: 'of snapshots the highest generation counts, whatever their order',
    tell: but((_, medium) => ({
      saveSnapshot: (snapshot) => async () => {
        const held = medium.held.sessions.get(snapshot.sessionId)
        if (held !== undefined) held.snapshot = snapshot
        return yes
      },
    })),
  },
  {
    lie: 'reads what it read before',
    caughtBy: 'what is read is what was kept last',
    tell: but((truth) => {
      const read = new Map<string, StoredSnapshot>()
      return {
        readSnapshot: (id) => async () => {
          const known = read.get(id)
          if (known !== undefined) return E.right(known)
          const found = await truth.readSnapshot(id)()
          if (E.isRight(found)) read.set(id, found.right)
          return found
        },
      }
    }),
  },
  {
    lie: "gives a new incarnation the former's snapshot",
    caughtBy: 'a former incarnation leaves no snapshot',
    tell: but((truth, medium) => ({
      commit: (commit) => async () => {
        const { sessionId } = commit.record.control
        const snapshot = medium.held.sessions.get(sessionId)?.snapshot
        const answer = await truth.commit(commit)()
        const held = medium.held.sessions.get(sessionId)
        if (held !== undefined) held.snapshot = snapshot
        return answer
      },
    })),
  },
  {
    lie: "gives everybody the first one's snapshot",
    caughtBy: "a session's snapshot is its own",
    tell: but((truth, medium) => ({
      readSnapshot: (id) => {
        const [first] = medium.held.sessions.keys()
        return truth.readSnapshot(first ?? id)
      },
    })),
  },
  {
    lie: 'takes the snapshot of a session that it does not hold, and drops it',
    caughtBy: "a session's snapshot is its own",
    tell: but((truth, medium) => ({
      saveSnapshot: (snapshot) =>
        medium.held.sessions.has(snapshot.sessionId)
          ? truth.saveSnapshot(snapshot)
          : async () => yes,
    })),
  },
  {
    lie: 'forgets the journal, too',
    caughtBy: 'what is forgotten is gone but for its journal',
    tell: but((truth, medium) => ({
      forget: (id, incarnation) => async () => {
        medium.held.journals.delete(id)
        return truth.forget(id, incarnation)()
      },
    })),
  },
  {
    lie: 'forgets whatever there is of a session',
    caughtBy: 'forgetting a former incarnation leaves the later alone',
    tell: but((_, medium) => ({
      forget: (id) => async () => {
        medium.held.sessions.delete(id)
        return yes
      },
    })),
  },
  {
    lie: 'takes what is too large, and keeps nothing of it',
    caughtBy: 'what is too large is refused with its size, and nothing of it is kept',
    tell: but((truth) => ({
      saveSnapshot: (snapshot) => async () => {
        const answer = await truth.saveSnapshot(snapshot)()
        return E.isLeft(answer) && answer.left._tag === 'TooLarge' ? yes : answer
      },
    })),
  },
  {
    lie: 'throws at what nests deeply',
    caughtBy: 'what nests without end is kept whole or refused',
    tell: but((truth) => ({
      saveSnapshot: (snapshot) => async () => {
        if (JSON.stringify(snapshot.body).includes('[{"inner":'.repeat(100))) {
          throw new RangeError('too deep')
        }
        return truth.saveSnapshot(snapshot)()
      },
    })),
  },
]

export const aboutTheRest: readonly StoreLie[] = [
  {
    lie: 'archives the record alone',
    caughtBy: 'an archive is read back from its location',
    tell: but((truth) => ({ archive: (archive) => truth.archive({ ...archive, snapshot: null }) })),
  },
  {
    lie: 'writes an archive over the one before',
    caughtBy: 'one token is one archive, and the first stays',
    tell: but((truth, medium) => ({
      archive: (archive) => async () => {
        medium.held.archives.delete(`memory:${archive.token}`)
        return truth.archive(archive)()
      },
    })),
  },
  {
    lie: 'reads some archive, whatever is asked for',
    caughtBy: 'only a location that was given is read',
    tell: but((truth, medium) => ({
      readArchive: (location) => {
        const [some] = medium.held.archives.keys()
        return truth.readArchive(medium.held.archives.has(location) ? location : (some ?? ''))
      },
    })),
  },
  {
    lie: 'takes all there is for folded',
    caughtBy: 'a checkpoint carries the projection; what it lacks is handed out, once',
    tell: but((truth, medium) => ({
      checkpoint: (projection) => truth.checkpoint(projection, medium.held.latestSeq),
    })),
  },
  {
    lie: 'drops the journal with a checkpoint',
    caughtBy: 'a checkpoint keeps what is live',
    tell: but((truth, medium) => ({
      checkpoint: (projection, through) => async () => {
        medium.held.journals.clear()
        return truth.checkpoint(projection, through)()
      },
    })),
  },
  {
    lie: 'writes the checkpoint of what there was when it began',
    caughtBy: 'nothing is lost that is written while a checkpoint is',
    tell: but((truth, medium) => ({
      checkpoint: (projection, through) => async () => {
        const then = mediumCopy(medium.held)
        await turn()
        medium.held = then
        return truth.checkpoint(projection, through)()
      },
    })),
  },
]
