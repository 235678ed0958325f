/**
 * A host that is reached over SSH: programs are started on its terminals, and, where something there
 * keeps a terminal without its connection, joined again.
 */
import type { Cancellation } from '@session-recovery/core'
import type { Host, Started, StartFailure } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { attachOn } from './attachment.js'
import { type DialOptions, nameOf } from './connection.js'
import type { Ledger } from './ledger.js'
import { type Line, type Survey, switchboardOf } from './line.js'
import type { PoolHost } from './option.js'
import { type Held, notStarted } from './seat.js'
import { startOn } from './starting.js'

// ------------------------------------------------------------------------------------------ model

export interface RemoteHost extends Host {
  /** The app asked for a session: until the answer is called, what was refused may be tried again. */
  readonly allowAgain: () => () => void
  readonly close: () => Promise<void>
}

// ----------------------------------------------------------------------------------- constructors

/** The host that was declared. Nothing is dialled before it is needed. */
export const remoteHost = (
  declared: PoolHost,
  options: DialOptions,
  ledger: Ledger,
): RemoteHost => {
  const board = switchboardOf(declared, options)
  const held: Held = { declared, board, ledger, options, berths: new Map(), tidied: new Set() }
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
        : overLine(held, signal, (line) => attachOn(line, berth, size, listener, signal, held))
    },
    allowAgain: board.allowAgain,
    close: board.close,
  }
}

// ------------------------------------------------------------------------------------ combinators

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
