/**
 * The sessions a driver holds: opened, adopted from a snapshot, watched, ended.
 */
import type { Clock, Observation } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { exec } from './command-line.js'
import type { Host, HostPool, ProcessEnd, StartFailure } from './host.js'
import { endInherited } from './inheritance.js'
import { type LaunchPad, launch, todaysEnvironment } from './launch.js'
import type { TerminalSize } from './screen.js'
import {
  livingShell,
  type Session,
  type SessionSpec,
  type SessionStart,
  type ShellSession,
  sessionOf,
} from './session.js'
import { waitFor } from './waiting.js'

// ------------------------------------------------------------------------------------------ model

/** The session could not be opened; nothing of it is left. */
export interface OpenError extends Partial<StartFailure> {
  readonly _tag: 'SessionOpen' | 'SpawnFailed' | 'DriverClosed'
  readonly sessionId: string
  readonly message: string
}

export interface Roster {
  readonly open: (wanted: Wanted) => Promise<E.Either<OpenError, ShellSession>>
  /** Takes in a session that has no process yet. */
  readonly adopt: (wanted: Wanted) => E.Either<StartFailure, Session>
  /** The session, watched from now on. */
  readonly find: (sessionId: string) => Session | undefined
  readonly face: (sessionId: string) => ShellSession | undefined
  readonly detach: (sessionId: string) => void
  /** Does work in which a process that ends is told by who does the work. */
  readonly whileStarting: <A>(session: Session, work: () => Promise<A>) => Promise<A>
  readonly end: (sessionId: string) => Promise<void>
  readonly close: () => Promise<void>
  /** What was just being started when it was closed has ended, too; waited for within a bound. */
  readonly settled: () => Promise<void>
}

/** A session that is to be held. */
export interface Wanted {
  readonly id: string
  readonly spec: SessionSpec
  /** The app's own options, which the pool of hosts may read. */
  readonly options: unknown
  readonly size: TerminalSize
  /** Where it stands; absent: the pool decides. */
  readonly host?: Host
  /** The name of the host it stood on when it was seen last. */
  readonly place?: string
}

export interface RosterOptions {
  readonly pool: HostPool
  readonly pad: LaunchPad
  readonly outputLimitBytes: number
  readonly tell: (observation: Observation) => void
}

const settledWithinMs = 5_000

// ----------------------------------------------------------------------------------- constructors

/** A roster without sessions. */
export const rosterOf = ({ pool, pad, outputLimitBytes, tell }: RosterOptions): Roster => {
  const sessions = new Map<string, Session>()
  const starting = new Set<Session>()
  const works = worksOf(pad.clock)
  let closed = false

  const create = (wanted: SessionStart): Session => {
    const { id } = wanted
    const session = sessionOf(wanted, (own, line) => exec(own, line, pad.clock), {
      changed: () => tell({ _tag: 'changed', sessionId: id }),
      gone: (end) => {
        if (!starting.has(session)) tell(told(id, end))
      },
    })
    sessions.set(id, session)
    return session
  }
  const adopt = (wanted: Wanted): E.Either<StartFailure, Session> => {
    if (closed) return E.left({ detail: 'the driver is closed' })
    const host =
      wanted.host === undefined
        ? pool.hostOf(wanted.id, wanted.options, wanted.place)
        : E.right(wanted.host)
    return E.isLeft(host)
      ? host
      : E.right(create({ ...wanted, host: host.right, outputLimitBytes }))
  }
  const whileStarting: Roster['whileStarting'] = (session, work) => {
    starting.add(session)
    return works.under(work().finally(() => starting.delete(session)))
  }
  const end = async (sessionId: string): Promise<void> => {
    const session = sessions.get(sessionId)
    if (session === undefined) return
    sessions.delete(sessionId)
    session.ended = true
    await ended(session)
  }
  const begin = async (session: Session): Promise<E.Either<StartFailure, unknown>> => {
    const environment = await todaysEnvironment(session)
    if (E.isLeft(environment)) return environment
    const { cwd } = session.spec
    const start = { cwd, exactly: true, environment: environment.right }
    return launch(session, { ...start, kept: [], historyLines: [] }, pad, undefined)
  }

  return {
    open: async (wanted) => {
      const sessionId = wanted.id
      const refused = (_tag: OpenError['_tag'], message: string, failure?: StartFailure) =>
        E.left({ ...failure, _tag, sessionId, message: `session ${sessionId}: ${message}` })
      if (closed) return refused('DriverClosed', 'the driver is closed')
      if (isCutOff(sessions.get(sessionId), starting)) await end(sessionId)
      if (isBusy(sessions.get(sessionId), starting))
        return refused('SessionOpen', 'it is open already')
      const adopted = adopt(wanted)
      if (E.isLeft(adopted)) return refused('SpawnFailed', adopted.left.detail, adopted.left)
      const session = adopted.right
      const begun = await whileStarting(session, () => begin(session))
      if (E.isRight(begun)) return E.right(session.face)
      if (sessions.get(sessionId) === session) sessions.delete(sessionId)
      return refused('SpawnFailed', begun.left.detail, begun.left)
    },
    adopt,
    find: (sessionId) => {
      const session = sessions.get(sessionId)
      if (session !== undefined) session.watched = true
      return session
    },
    face: (sessionId) => sessions.get(sessionId)?.face,
    detach: (sessionId) => {
      const session = sessions.get(sessionId)
      if (session === undefined) return
      session.watched = false
      // Nothing of it is left that could be asked for once more.
      if (session.fenced) sessions.delete(sessionId)
    },
    whileStarting,
    end,
    close: async () => {
      closed = true
      await Promise.all([...sessions.keys()].map(end))
    },
    settled: works.settled,
  }
}

const ended = async (session: Session): Promise<void> => {
  await session.shell?.end()
  session.shell?.disown()
  await endInherited(session)
}

const isBusy = (session: Session | undefined, starting: ReadonlySet<Session>): boolean =>
  session !== undefined && (starting.has(session) || livingShell(session) !== undefined)

// What its connection was lost to goes on elsewhere, and nobody else would end it.
const isCutOff = (session: Session | undefined, starting: ReadonlySet<Session>): boolean =>
  session?.shell?.gone()?._tag === 'lost' && !starting.has(session)

// What is under way, to be waited for when there is to be none.
const worksOf = (clock: Clock) => {
  const works = new Set<Promise<unknown>>()
  return {
    under: <A>(work: Promise<A>): Promise<A> => {
      const forget = () => works.delete(work)
      works.add(work)
      work.then(forget, forget)
      return work
    },
    settled: async (): Promise<void> => {
      const allOver = Promise.allSettled([...works])
      await waitFor(
        {
          clock,
          withinMs: settledWithinMs,
          wakeBy: (wake) => {
            void allOver.then(wake)
            return () => {}
          },
        },
        () => (works.size === 0 ? true : undefined),
      )
    },
  }
}

const told = (sessionId: string, end: ProcessEnd): Observation =>
  end._tag === 'exited'
    ? { _tag: 'exited', sessionId, exit: end.exit }
    : { _tag: 'transport-lost', sessionId, detail: end.detail }
