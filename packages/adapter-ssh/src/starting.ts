/**
 * Starting a program on a terminal of a remote host: its files are written, its terminal is made, and it
 * says who it is before it becomes what was asked for.
 */
import { randomBytes } from 'node:crypto'
import type { Cancellation, Clock } from '@session-recovery/core'
import {
  type KeptProcess,
  type ProcessIdentity,
  type ProcessListener,
  type ProcessStart,
  type Started,
  waitFor,
} from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { chosenKeeper, type Keeper, keeperFiles, startLine } from './keeper.js'
import type { Line } from './line.js'
import { type Birth, birthOf, type Resident } from './remote-process.js'
import { endLaterScript, endScript, eraseScript, prepareScript } from './script.js'
import { begun, bornWithinMs, type Held, laid, notStarted } from './seat.js'

/** Starts a program; when it does not say who it is, nothing of it is left. */
export const startOn = async (
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
  if (E.isLeft(prepared)) {
    // It may have been written all the same.
    held.board.owe(eraseScript(directory))
    return notStarted({ detail: prepared.left })
  }
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
    const end = read && { ...read, directory, kept: keptBy(keeper, directory, read) }
    const ended = await control.run(end === undefined ? eraseScript(directory) : endScript(end))
    if (E.isLeft(ended)) {
      held.board.owe(end === undefined ? eraseScript(directory) : endLaterScript(end))
    }
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
  const kept = keptBy(keeper, directory, read)
  const { machine, served, shows } = survey
  const { sessionId } = start
  const resident: Resident = { ...read, directory, kept, machine, shows, sessionId }
  held.ledger.replaced(start.sessionId)
  if (start.inPlaceOf !== undefined) held.ledger.replaced(start.inPlaceOf)
  held.board.settle(line)
  if (kept !== undefined) held.berths.set(kept.name, { kept, resident, keeper, frame, served })
  return begun(resident, served, { line, wire: wire.right, birth }, listener, held)
}

const keptBy = (keeper: Keeper, directory: string, { identity }: Born): KeptProcess | undefined =>
  keeper === 'none' ? undefined : { name: `${keeper}:${directory}`, identity }

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
