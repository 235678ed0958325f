/**
 * What starting a program on a remote host and joining one that was kept have in common: a wire is laid
 * over a line, and what is found at its end becomes a session's process.
 */
import type {
  KeptProcess,
  Leftover,
  Process,
  ProcessIdentity,
  ProcessListener,
  Started,
  StartFailure,
  TerminalSize,
} from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import type { DialOptions } from './connection.js'
import type { Keeper, KeeperLine } from './keeper.js'
import type { Line } from './line.js'
import type { PoolHost } from './option.js'
import { type Birth, type Resident, remoteProcess, type Steward } from './remote-process.js'
import { type Wire, wireOver } from './wire.js'

// ------------------------------------------------------------------------------------------ model

/** What a kept process is found by again, besides its name. */
export interface Berth {
  readonly kept: KeptProcess
  readonly resident: Resident
  readonly keeper: Keeper
  readonly frame: string
  /** The server's process for the connection it was on last. */
  readonly served: ProcessIdentity | undefined
}

/** What is known of a host between starts. */
export interface Held extends Steward {
  readonly declared: PoolHost
  readonly options: DialOptions
  /** By the name of the kept process. */
  readonly berths: Map<string, Berth>
}

/** By then a program has said who it is. */
export const bornWithinMs = 10_000

// ------------------------------------------------------------------------------------ combinators

export const notStarted = (failure: StartFailure): Started => ({ _tag: 'not-started', failure })

export const begun = (
  resident: Resident,
  served: ProcessIdentity | undefined,
  { line, wire, birth }: { readonly line: Line; readonly wire: Wire; readonly birth: Birth },
  listener: ProcessListener,
  held: Held,
): Started => {
  const process = remoteProcess(resident, { line, wire, birth, served }, held)
  birth.adopt(listener, line, resident.kept !== undefined)
  return { _tag: 'started', process: { ...process, end: () => leaving(process, held) } }
}

// What could not be reached may be found again.
const leaving = async ({ end, keeping }: Process, { berths }: Held): Promise<Leftover> => {
  const leftover = await end()
  if (keeping !== undefined && leftover.unreached !== true) berths.delete(keeping.kept.name)
  return leftover
}

export const laid = async (
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
