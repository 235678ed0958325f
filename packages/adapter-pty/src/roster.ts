/**
 * The sessions a driver holds: opened, adopted from a snapshot, watched, ended.
 */
import type { Observation } from '@session-recovery/core'
import type { TerminalSize } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { type LaunchPad, launch } from './launch.js'
import { endLeftover } from './leftover.js'
import {
  livingShell,
  type PtySession,
  type Session,
  type SessionSpec,
  sessionOf,
} from './session.js'

// ------------------------------------------------------------------------------------------ model

/** The session could not be opened; nothing of it is left. */
export interface OpenError {
  readonly _tag: 'SessionOpen' | 'SpawnFailed' | 'DriverClosed'
  readonly sessionId: string
  readonly message: string
}

export interface Roster {
  readonly open: (
    sessionId: string,
    spec: SessionSpec,
    size: TerminalSize,
  ) => Promise<E.Either<OpenError, PtySession>>
  /** Takes in a session that has no process yet; `undefined` once the roster is closed. */
  readonly adopt: (sessionId: string, spec: SessionSpec, size: TerminalSize) => Session | undefined
  /** The session, watched from now on. */
  readonly find: (sessionId: string) => Session | undefined
  readonly face: (sessionId: string) => PtySession | undefined
  readonly detach: (sessionId: string) => void
  /** Does work in which a process that ends is told by who does the work. */
  readonly whileStarting: <A>(session: Session, work: () => Promise<A>) => Promise<A>
  readonly end: (sessionId: string) => Promise<void>
  readonly close: () => Promise<void>
}

export interface RosterOptions {
  readonly pad: LaunchPad
  readonly outputLimitBytes: number
  readonly tell: (observation: Observation) => void
}

// ----------------------------------------------------------------------------------- constructors

/** A roster without sessions. */
export const rosterOf = ({ pad, outputLimitBytes, tell }: RosterOptions): Roster => {
  const sessions = new Map<string, Session>()
  const starting = new Set<Session>()
  let closed = false

  const create = (sessionId: string, spec: SessionSpec, size: TerminalSize): Session => {
    const session = sessionOf(sessionId, spec, size, outputLimitBytes, pad.clock, {
      changed: () => tell({ _tag: 'changed', sessionId }),
      exited: (exit) => {
        if (!starting.has(session)) tell({ _tag: 'exited', sessionId, exit })
      },
    })
    sessions.set(sessionId, session)
    return session
  }
  const whileStarting: Roster['whileStarting'] = async (session, work) => {
    starting.add(session)
    try {
      return await work()
    } finally {
      starting.delete(session)
    }
  }
  const end = async (sessionId: string): Promise<void> => {
    const session = sessions.get(sessionId)
    if (session === undefined) return
    sessions.delete(sessionId)
    session.ended = true
    const { shell } = session
    if (shell === undefined) return
    await shell.end()
    await endLeftover(shell.identity, pad.clock)
  }
  const isBusy = (session: Session | undefined): boolean =>
    session !== undefined && (starting.has(session) || livingShell(session) !== undefined)

  return {
    open: async (sessionId, spec, size) => {
      const refused = (_tag: OpenError['_tag'], message: string) =>
        E.left({ _tag, sessionId, message: `session ${sessionId}: ${message}` })
      if (closed) return refused('DriverClosed', 'the driver is closed')
      if (isBusy(sessions.get(sessionId))) return refused('SessionOpen', 'it is open already')
      const session = create(sessionId, spec, size)
      const { cwd, environment } = spec
      const request = { cwd, environment, kept: [], historyLines: [] }
      const launched = await whileStarting(session, () => launch(session, request, pad, undefined))
      if (launched._tag === 'launched') return E.right(session.face)
      if (sessions.get(sessionId) === session) sessions.delete(sessionId)
      return refused('SpawnFailed', launched.detail)
    },
    adopt: (sessionId, spec, size) => (closed ? undefined : create(sessionId, spec, size)),
    find: (sessionId) => {
      const session = sessions.get(sessionId)
      if (session !== undefined) session.watched = true
      return session
    },
    face: (sessionId) => sessions.get(sessionId)?.face,
    detach: (sessionId) => {
      const session = sessions.get(sessionId)
      if (session !== undefined) session.watched = false
    },
    whileStarting,
    end,
    close: async () => {
      closed = true
      await Promise.all([...sessions.keys()].map(end))
    },
  }
}
