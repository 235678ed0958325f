/**
 * A host that is reached over SSH: programs are started on its terminals, and, where something there
 * keeps a terminal without its connection, joined again.
 */
import { randomBytes } from 'node:crypto'
import type { Cancellation, Clock } from '@session-recovery/core'
import {
  type Host,
  type KeptProcess,
  type ProcessIdentity,
  type ProcessListener,
  type ProcessStart,
  type Started,
  type StartFailure,
  type TerminalSize,
  waitFor,
} from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { type DialOptions, nameOf } from './connection.js'
import {
  chosenKeeper,
  joined,
  joinLine,
  type Keeper,
  type KeeperLine,
  keeperFiles,
  startLine,
} from './keeper.js'
import type { Ledger } from './ledger.js'
import { type Line, type Survey, switchboardOf } from './line.js'
import type { PoolHost } from './option.js'
import {
  type Birth,
  birthOf,
  type Resident,
  remoteProcess,
  type Steward,
} from './remote-process.js'
import { endScript, eraseScript, forsakeScript, prepareScript, sameProcess } from './script.js'
import { type Wire, wireOver } from './wire.js'

// ------------------------------------------------------------------------------------------ model

export interface RemoteHost extends Host {
  /** The app asked for a session: until the answer is called, what was refused may be tried again. */
  readonly allowAgain: () => () => void
  readonly close: () => Promise<void>
}

/** What a kept process is found by again, besides its name. */
interface Berth {
  readonly resident: Resident
  readonly keeper: Keeper
  readonly frame: string
  /** The server's process for the connection it was on last. */
  readonly served: ProcessIdentity | undefined
}

interface Held extends Steward {
  readonly declared: PoolHost
  readonly options: DialOptions
  readonly berths: Map<string, Berth>
}

const bornWithinMs = 10_000

// ----------------------------------------------------------------------------------- constructors

/** The host that was declared. Nothing is dialled before it is needed. */
export const remoteHost = (
  declared: PoolHost,
  options: DialOptions,
  ledger: Ledger,
): RemoteHost => {
  const board = switchboardOf(declared, options)
  const held: Held = { declared, board, ledger, options, berths: new Map() }
  return {
    name: nameOf(declared),
    environment: async (signal) => {
      const line = await board.take(signal)
      if (E.isLeft(line)) return line
      const survey = await line.right.survey()
      await board.giveBack(line.right)
      return E.bimap(
        (detail: string): StartFailure => ({ detail }),
        ({ environment }: Survey) => environment,
      )(survey)
    },
    start: (start, listener, signal) =>
      overLine(held, signal, (line) => startOn(line, start, listener, signal, held)),
    attach: (kept, size, listener, signal) => {
      const berth = held.berths.get(kept.name)
      return berth === undefined
        ? Promise.resolve(notStarted({ detail: `${kept.name} is not known here`, gone: true }))
        : overLine(held, signal, (line) =>
            attachOn(line, { kept, size, berth }, listener, signal, held),
          )
    },
    allowAgain: board.allowAgain,
    close: board.close,
  }
}

// ------------------------------------------------------------------------------------ combinators

const notStarted = (failure: StartFailure): Started => ({ _tag: 'not-started', failure })

// A line on which nothing was started is given back.
const overLine = async (
  { board }: Held,
  signal: Cancellation | undefined,
  work: (line: Line) => Promise<Started>,
): Promise<Started> => {
  const line = await board.take(signal)
  if (E.isLeft(line)) return notStarted(line.left)
  const started = await work(line.right)
  if (started._tag === 'not-started') await board.giveBack(line.right)
  return started
}

const startOn = async (
  line: Line,
  start: ProcessStart,
  listener: ProcessListener,
  signal: Cancellation | undefined,
  held: Held,
): Promise<Started> => {
  const { declared, options } = held
  const { control, connection } = line
  const surveyed = await line.survey()
  if (E.isLeft(surveyed)) return notStarted({ detail: surveyed.left })
  const survey = surveyed.right
  const keeper = chosenKeeper(declared.keeper, survey.tools)
  if (keeper === undefined) return notStarted({ detail: `the host has no ${declared.keeper}` })
  if (holdsNul(start)) return notStarted({ detail: 'a word holds a NUL' })
  const frame = randomBytes(16).toString('hex')
  const directory = `${survey.place}/session-recovery-${randomBytes(12).toString('hex')}`
  const { command, args, cwd, environment, integration } = start
  const files = keeperFiles(keeper)
  const prepared = await control.run(
    prepareScript({ directory, command, args, cwd, environment, frame, integration, files }),
  )
  if (E.isLeft(prepared)) return notStarted({ detail: prepared.left })
  if (prepared.right.code !== 0) return notStarted({ detail: `${directory} cannot be written` })
  const birth = birthOf()
  const wire = await laid(line, startLine(keeper, directory, start.size), start.size, {
    keeper,
    frame,
    birth,
  })
  const failed = async (detail: string): Promise<Started> => {
    // What is just being started is ended by who it is as soon as it says so: by what it runs it can be
    // missed.
    const said = E.isRight(wire) ? await lastWord(birth, options.clock) : undefined
    const read = said === undefined ? undefined : bornIn(said, start.cwd)
    birth.disown()
    if (E.isRight(wire)) wire.right.close()
    const ending = read === undefined ? eraseScript(directory) : endScript({ ...read, directory })
    if (E.isLeft(await control.run(ending))) held.board.owe(ending)
    return notStarted({ detail })
  }
  if (E.isLeft(wire)) return failed(wire.left)
  const born = await waitFor(
    {
      clock: options.clock,
      withinMs: bornWithinMs,
      wakeBy: birth.wakeBy,
      ...(signal === undefined ? {} : { signal }),
    },
    () => birth.word() ?? (birth.over() === undefined ? undefined : ''),
  )
  if (born._tag !== 'seen') return failed(born._tag === 'cancelled' ? 'called off' : 'no start')
  const read = bornIn(born.value, start.cwd)
  if (read === undefined) {
    const said = born.value.startsWith('N ') ? born.value.slice(2) : birth.heard().trim()
    return failed(`${command}: ${said || (connection.lost() ?? 'it did not start')}`)
  }
  const kept: KeptProcess | undefined =
    keeper === 'none' ? undefined : { name: `${keeper}:${directory}`, identity: read.identity }
  const resident: Resident = { ...read, directory, kept, sessionId: start.sessionId }
  held.ledger.replaced(start.sessionId)
  if (start.inPlaceOf !== undefined) held.ledger.replaced(start.inPlaceOf)
  held.board.settle(line)
  if (kept !== undefined) {
    held.berths.set(kept.name, { resident, keeper, frame, served: survey.served })
  }
  return begun(resident, line, wire.right, birth, listener, held)
}

const holdsNul = ({ command, cwd, args }: ProcessStart): boolean =>
  [command, cwd, ...args].some((word) => word.includes('\0'))

const lastWordWithinMs = 1_000

const lastWord = async (birth: Birth, clock: Clock): Promise<string | undefined> => {
  const heard = await waitFor(
    { clock, withinMs: lastWordWithinMs, wakeBy: birth.wakeBy },
    () => birth.word() ?? (birth.over() === undefined ? undefined : ''),
  )
  return heard._tag === 'seen' ? heard.value : undefined
}

const begun = (
  resident: Resident,
  line: Line,
  wire: Wire,
  birth: Birth,
  listener: ProcessListener,
  held: Held,
): Started => {
  const process = remoteProcess(resident, line, wire, birth, held)
  birth.adopt(listener, line, resident.kept !== undefined)
  return { _tag: 'started', process }
}

const laid = async (
  { connection }: Line,
  { commandLine, onTerminal }: KeeperLine,
  size: TerminalSize,
  { keeper, frame, birth }: { keeper: Keeper; frame: string; birth: Birth },
): Promise<E.Either<string, Wire>> => {
  const channel = await connection.run(commandLine, onTerminal ? size : undefined)
  if (E.isLeft(channel)) return channel
  const wire = wireOver(channel.right, keeper, frame, birth.listener)
  if (!onTerminal) wire.resize(size)
  return E.right(wire)
}

type Born = Pick<Resident, 'identity' | 'leader' | 'startedIn'>

// `I PID UP BOOT TICKS SESSION TICKS`: who it is, how far above the wanted directory, who leads.
const bornIn = (word: string, cwd: string): Born | undefined => {
  const [kind, pid = '', up = '', boot = '-', ticks = '-', session = '-', led = '-'] =
    word.split(' ')
  if (kind !== 'I') return undefined
  const known = (number: string, since: string): ProcessIdentity => ({
    pid: Number(number),
    ...(since === '-' ? {} : { startTicks: Number(since) }),
    ...(boot === '-' ? {} : { bootId: boot }),
  })
  const identity = known(pid, ticks)
  return {
    identity,
    leader: session === '-' ? identity : known(session, led),
    startedIn: above(cwd, Number(up)),
  }
}

const above = (path: string, levels: number): string =>
  levels === 0
    ? path
    : above(path.startsWith('/') ? path.slice(0, path.lastIndexOf('/')) || '/' : '~', levels - 1)

const attachOn = async (
  line: Line,
  { kept, size, berth }: { kept: KeptProcess; size: TerminalSize; berth: Berth },
  listener: ProcessListener,
  signal: Cancellation | undefined,
  held: Held,
): Promise<Started> => {
  const { control } = line
  const { resident, keeper, frame, served } = berth
  const birth = birthOf(joined)
  // dtach passes on only a change of size: it comes when it has joined.
  const first = keeper === 'dtach' ? { ...size, rows: size.rows + 1 } : size
  const forsaking = served === undefined ? '' : forsakeScript(served)
  const [seen, survey, wire] = await Promise.all([
    control.run(`${forsaking}\n${sameProcess(kept.identity)}`),
    line.survey(),
    laid(line, joinLine(keeper, resident.directory), first, { keeper, frame, birth }),
  ])
  const failed = (failure: StartFailure): Started => {
    birth.disown()
    if (E.isRight(wire)) wire.right.close()
    return notStarted(failure)
  }
  if (E.isLeft(seen)) return failed({ detail: seen.left })
  if (seen.right.code !== 0) {
    held.berths.delete(kept.name)
    const detail = `process ${kept.identity.pid} is not there any more`
    return failed({ detail, gone: true })
  }
  if (E.isLeft(wire)) return failed({ detail: wire.left })
  const found = await waitFor(
    {
      clock: held.options.clock,
      withinMs: bornWithinMs,
      wakeBy: birth.wakeBy,
      ...(signal === undefined ? {} : { signal }),
    },
    () => birth.word() ?? (birth.over() === undefined ? undefined : 'over'),
  )
  if (found._tag !== 'seen') return failed({ detail: `${kept.name} did not answer` })
  if (found.value === 'over') {
    return failed({ detail: `${kept.name}: ${birth.heard().trim()}`, gone: true })
  }
  if (first !== size) wire.right.resize(size)
  held.ledger.found(resident.sessionId)
  const now = E.isRight(survey) ? survey.right.served : undefined
  held.berths.set(kept.name, { ...berth, served: now })
  return begun(resident, line, wire.right, birth, listener, held)
}
