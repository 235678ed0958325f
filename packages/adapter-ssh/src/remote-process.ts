/**
 * A program on a terminal of a remote host, over a line of its own. Its end is told apart from the loss
 * of the line; what is asked of it when the line is lost is asked over another.
 */
import type { Exit } from '@session-recovery/core'
import type {
  HostShowing,
  Keeping,
  KeptProcess,
  Leftover,
  Process,
  ProcessIdentity,
  ProcessListener,
} from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import type { Answer } from './control.js'
import type { Ending, Ledger } from './ledger.js'
import type { Line, Switchboard } from './line.js'
import { factIn, probeScript } from './probe.js'
import {
  endLaterScript,
  endScript,
  forgetScript,
  forsakeScript,
  signalScript,
  surroundingsScript,
} from './script.js'
import { exitIn, type Wire, type WireListener } from './wire.js'

// ------------------------------------------------------------------------------------------ model

/** Who a remote process is, and where its files stand. */
export interface Resident {
  readonly identity: ProcessIdentity
  /** What leads its kernel session: itself, or what stays with it. */
  readonly leader: ProcessIdentity
  readonly directory: string
  readonly startedIn: string
  /** What it is found by again; absent: its end is the line's. */
  readonly kept: KeptProcess | undefined
  readonly sessionId: string
  /** The host's, as `uname -m` names it. */
  readonly machine: string
  /** What the host was found to show. */
  readonly shows: HostShowing
}

/** Who sees to what cannot be done now. */
export interface Steward {
  readonly board: Switchboard
  readonly ledger: Ledger
  /** The directories of which the files of a start are gone. */
  readonly tidied: Set<string>
}

/** What connects us with a process now. */
export interface Seat {
  readonly line: Line
  readonly wire: Wire
  readonly birth: Birth
  /** The server's process for the line. */
  readonly served: ProcessIdentity | undefined
}

/** A process whose wire is being laid. */
export interface Birth {
  readonly listener: WireListener
  /** The words that were said, and whether the wire is over, before it is known whose it is. */
  readonly word: () => string | undefined
  readonly heard: () => string
  readonly over: () => { readonly exit: Exit | undefined } | undefined
  readonly wakeBy: (wake: () => void) => () => void
  /** From now on it is heard by its session. */
  readonly adopt: (listener: ProcessListener, line: Line, isKept: boolean) => void
  /** Whether its connection is lost is not its session's business any more. */
  readonly unhook: () => void
  /** Nothing is heard of it any more. */
  readonly disown: () => void
}

// ----------------------------------------------------------------------------------- constructors

/**
 * What listens to a wire from its first byte on.
 *
 * @param opening output that counts as the first word, where no script of ours says one.
 */
export const birthOf = (opening?: string): Birth => {
  const wakes = new Set<() => void>()
  let word: string | undefined
  let heard = ''
  let over: { readonly exit: Exit | undefined } | undefined
  let told: WireListener | undefined
  let unhook = (): void => {}
  const wakeAll = () => {
    for (const wake of [...wakes]) wake()
  }
  return {
    word: () => word,
    heard: () => heard,
    over: () => over,
    wakeBy: (wake) => {
      wakes.add(wake)
      return () => wakes.delete(wake)
    },
    listener: {
      output: (text) => {
        if (told !== undefined) return told.output(text)
        heard += text
        const at = opening === undefined || word !== undefined ? -1 : heard.indexOf(opening)
        if (opening !== undefined && at >= 0) {
          word = opening
          heard = heard.slice(at + opening.length)
        }
        // Before the program comes what our own scripts fail with.
        heard = heard.slice(-(word === undefined ? errorLimit : firstLimit))
        wakeAll()
      },
      word: (said) => {
        if (told !== undefined) return told.word(said)
        if (word === undefined) heard = ''
        word ??= said
        if (said.startsWith('X ')) over = { exit: exitIn(said) }
        wakeAll()
      },
      over: (exit) => {
        if (told !== undefined) return told.over(exit)
        over ??= { exit }
        wakeAll()
      },
    },
    adopt: (listener, line, isKept) => {
      const first = heard
      const own = sessionListener(listener, line, isKept)
      told = own.listener
      unhook = own.unhook
      if (first !== '') told.output(first)
      if (over?.exit !== undefined || (over !== undefined && !isKept)) told.over(over.exit)
    },
    unhook: () => unhook(),
    disown: () => {
      unhook()
      told = { output: () => {}, word: () => {}, over: () => {} }
    },
  }
}

const errorLimit = 2_048
// What a program says before its session hears it: of more the last is kept.
const firstLimit = 1_048_576

// ------------------------------------------------------------------------------------ combinators

const sessionListener = (
  listener: ProcessListener,
  { connection }: Line,
  isKept: boolean,
): { readonly listener: WireListener; readonly unhook: () => void } => {
  let gone = false
  const exited = (exit: Exit): void => {
    if (gone) return
    gone = true
    listener.gone({ _tag: 'exited', exit })
  }
  const lost = (detail: string): void => {
    if (gone) return
    gone = true
    listener.gone({ _tag: 'lost', detail })
  }
  const unhook = connection.onLost(lost)
  return {
    unhook,
    listener: {
      output: (text) => {
        if (!gone) listener.output(text)
      },
      word: (word) => {
        const exit = exitIn(word)
        if (exit !== undefined) exited(exit)
      },
      over: (exit) => {
        // Where something keeps the terminal, the channel's end is that something's.
        if (exit === undefined || isKept) lost(connection.lost() ?? 'the channel was closed')
        else exited(exit)
      },
    },
  }
}

const dead: E.Either<unknown, Answer> = E.left('the line is lost')
const unreached: Leftover = { ended: [], letBe: [], unreached: true }

/** The process on a wire. */
export const remoteProcess = (
  resident: Resident,
  { line, wire, birth, served }: Seat,
  { board, ledger, tidied }: Steward,
): Process => {
  const { identity, directory, startedIn, kept } = resident
  const { control, connection } = line
  let isSettled = false
  let isReleased = false
  const release = async (): Promise<void> => {
    if (isReleased) return
    isReleased = true
    wire.close()
    birth.unhook()
    await board.giveBack(line)
  }
  const endElsewhere = async (ending: Ending): Promise<E.Either<unknown, Answer>> => {
    const script = `${served === undefined ? '' : forsakeScript(served)}\n${endLaterScript(resident)}`
    const taken = await board.take()
    const answer: E.Either<unknown, Answer> = E.isLeft(taken)
      ? taken
      : await taken.right.control.run(script)
    if (E.isRight(taken)) await board.giveBack(taken.right)
    if (E.isLeft(answer)) ending.missed(board.owe, script)
    return answer
  }
  const keeping: Keeping | undefined =
    kept === undefined
      ? undefined
      : {
          kept,
          letGo: () => {
            birth.disown()
            if (isReleased) return
            isReleased = true
            wire.close()
            // Whoever lets go doubts the line: it is left to nobody.
            void board.hangUp(line)
          },
        }
  return {
    identity,
    shows: resident.shows,
    startedIn,
    write: (text) => !isReleased && wire.write(text),
    resize: wire.resize,
    look: async (flags) => {
      const answer = await control.call(probeScript(identity, flags))
      // What cannot be reached is called neither alive nor dead.
      if (E.isLeft(answer)) return { alive: undefined, foreground: [] }
      const { bytes, code } = answer.right
      return factIn(bytes, code, identity, resident.machine)
    },
    signal: async (to, name) => {
      const answer = await control.run(signalScript(identity, to, name))
      return E.isRight(answer) && answer.right.code === 0
    },
    surroundings: async () => {
      const answer = await control.run(surroundingsScript(identity))
      return E.isRight(answer) && answer.right.code === 0
        ? surroundingsIn(answer.right.bytes.toString('utf8'))
        : {}
    },
    settled: () => {
      if (isSettled || tidied.has(directory)) return
      isSettled = true
      void control.run(forgetScript(directory)).then((answer) => {
        if (E.isRight(answer)) tidied.add(directory)
        else isSettled = false
      })
    },
    end: async () => {
      isSettled = true
      tidied.delete(directory)
      const ending = ledger.ending(resident.sessionId)
      const asked = connection.lost() === undefined ? await control.run(endScript(resident)) : dead
      // A line may be dead and nobody know; what it was to end is then ended over another.
      const isSure = E.isRight(asked) || identity.startTicks !== undefined
      const answer = E.isRight(asked) ? asked : await endElsewhere(ending)
      if (E.isRight(answer)) ending.done()
      await release()
      return E.isRight(answer) && isSure
        ? leftoverIn(answer.right.bytes.toString('utf8'))
        : unreached
    },
    ...(keeping === undefined ? {} : { keeping }),
  }
}

const surroundingsIn = (text: string): Awaited<ReturnType<Process['surroundings']>> => {
  const [workingDirectory = '', ...entries] = text.split('\0')
  const named = entries.filter((entry) => entry.includes('='))
  return {
    ...(workingDirectory === '' ? {} : { workingDirectory }),
    ...(named.length === 0
      ? {}
      : {
          environment: Object.fromEntries(
            named.map((entry) => [
              entry.slice(0, entry.indexOf('=')),
              entry.slice(entry.indexOf('=') + 1),
            ]),
          ),
        }),
  }
}

/** Reads what a script that ends a process told. */
export const leftoverIn = (text: string): Leftover => {
  const named = (kind: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(kind))
      .map((line) => line.slice(kind.length))
  return { ended: named('ended '), letBe: named('let-be ') }
}
