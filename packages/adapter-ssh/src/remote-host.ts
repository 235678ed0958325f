/**
 * A host that is reached over SSH: programs are started on its terminals, and, where something there
 * keeps a terminal without its connection, joined again.
 */
import type { Cancellation } from '@session-recovery/core'
import type { Host, Started, StartFailure } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { attachOn } from './attachment.js'
import { type DialOptions, nameOf } from './connection.js'
import { endKeptOn } from './kept-end.js'
import type { Ledger } from './ledger.js'
import { type Line, type Survey, switchboardOf } from './line.js'
import type { PoolHost } from './option.js'
import { type Held, notStarted } from './seat.js'
import { startOn } from './starting.js'

// ------------------------------------------------------------------------------------------ model

export interface RemoteHost extends Host {
  /** The app asked for a session: until the answer is called, what was refused may be tried again. */
  readonly allowAgain: () => () => void
  /** Whatever is being started or joined is given up. */
  readonly callOff: () => void
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
  const over = new AbortController()
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
    probe: async (signal) => {
      const line = await board.take(signal)
      if (E.isLeft(line)) return line
      await board.giveBack(line.right)
      return E.right(undefined)
    },
    start: (start, listener, signal) =>
      overLine(held, [signal, over.signal], (line, either) =>
        startOn(line, start, listener, either, held),
      ),
    attach: (kept, size, listener, signal) => {
      const berth = held.berths.get(kept.name)
      return berth === undefined
        ? Promise.resolve(notStarted({ detail: `${kept.name} is not known here`, gone: true }))
        : overLine(held, [signal, over.signal], (line, either) =>
            attachOn(line, berth, size, listener, either, held),
          )
    },
    endKept: (sessionId, kept, signal) => endKeptOn(held, sessionId, kept, signal),
    allowAgain: board.allowAgain,
    callOff: () => over.abort(),
    close: board.close,
  }
}

// ------------------------------------------------------------------------------------ combinators

// A line on which nothing was started is given back.
const overLine = async (
  { board }: Held,
  signals: readonly (Cancellation | undefined)[],
  work: (line: Line, either: Cancellation) => Promise<Started>,
): Promise<Started> => {
  const either = new AbortController()
  const stop = () => either.abort()
  for (const signal of signals) {
    if (signal?.aborted === true) stop()
    signal?.addEventListener('abort', stop, { once: true })
  }
  try {
    const line = await board.take(either.signal)
    if (E.isLeft(line)) return notStarted(line.left)
    const started = await work(line.right, either.signal)
    if (started._tag === 'not-started') await board.giveBack(line.right)
    return started
  } finally {
    for (const signal of signals) signal?.removeEventListener('abort', stop)
  }
}
