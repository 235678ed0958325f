/**
 * One process on one terminal and what it says: its signed marks become its dialogue, everything else
 * its output.
 */
import type { Cancellation, Clock, Showing } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { afterMark, type Dialogue, silent } from './dialogue.js'
import type {
  Host,
  Integration,
  KeptProcess,
  Leftover,
  Process,
  ProcessEnd,
  ProcessListener,
  ProcessStart,
  StartFailure,
} from './host.js'
import { asideKey, boundKey, type Mark } from './mark.js'
import { scannerOf } from './scanner.js'
import type { TerminalSize } from './screen.js'
import { asDeclared, shownBy } from './showing.js'

// ------------------------------------------------------------------------------------------ model

/** What a shell tells the session it belongs to. */
export interface ShellListener {
  readonly output: (text: string) => void
  readonly mark: (mark: Mark, dialogue: Dialogue) => void
  /** The process is gone; `wanted`: by {@link Shell.end}. */
  readonly gone: (end: ProcessEnd, wanted: boolean) => void
}

export interface Shell {
  readonly process: Process
  /** What signs its marks; absent: the program gives none. */
  readonly nonce: string | undefined
  /** What is shown of it, and by whom: whatever is not is `unknown`. */
  readonly shows: Showing
  readonly dialogue: () => Dialogue
  readonly gone: () => ProcessEnd | undefined
  /** `false`: the process is gone, nothing was written. */
  readonly write: (text: string) => boolean
  /** Presses the bound key; returns the count its answer must reach. */
  readonly press: () => number
  /** Presses the second key; returns the count of emptied lines that its answer makes. */
  readonly pressAside: () => number
  /** Calls `wake` whenever something was heard; returns what stops that. */
  readonly onChange: (wake: () => void) => () => void
  /** Ends the process, asked first, then forced, and what it leaves behind. */
  readonly end: () => Promise<Leftover>
  /** Nothing is heard of it any more: another has taken its place, or nobody wants it. */
  readonly disown: () => void
}

/** A process to be attached to, and what is known of it from before. */
export interface Attachment {
  readonly kept: KeptProcess
  readonly nonce: string | undefined
  readonly dialogue: Dialogue
  readonly size: TerminalSize
}

// ----------------------------------------------------------------------------------- constructors

/** Starts a process on `host`. */
export const startShell = (
  host: Host,
  start: ProcessStart & { readonly integration?: Integration },
  listener: ShellListener,
  clock: Clock,
  signal: Cancellation | undefined,
): Promise<E.Either<StartFailure, Shell>> =>
  shellOver(start.integration?.nonce, silent, listener, clock, (hear) =>
    host.start(start, hear, signal),
  )

/** Connects with a process that went on without us. What it said meanwhile is not known. */
export const attachShell = (
  attach: NonNullable<Host['attach']>,
  { kept, nonce, dialogue, size }: Attachment,
  listener: ShellListener,
  clock: Clock,
  signal: Cancellation | undefined,
): Promise<E.Either<StartFailure, Shell>> =>
  shellOver(nonce, { ...dialogue, mark: undefined }, listener, clock, (hear) =>
    attach(kept, size, hear, signal),
  )

// ------------------------------------------------------------------------------------ combinators

const shellOver = async (
  nonce: string | undefined,
  before: Dialogue,
  listener: ShellListener,
  clock: Clock,
  begin: (hear: ProcessListener) => ReturnType<Host['start']>,
): Promise<E.Either<StartFailure, Shell>> => {
  const wakes = new Set<() => void>()
  let dialogue = before
  let gone: ProcessEnd | undefined
  let ending: Promise<Leftover> | undefined
  let process: Process | undefined
  let disowned = false

  const wakeAll = (): void => {
    for (const wake of [...wakes]) wake()
  }
  const hear = hearing(nonce, {
    output: listener.output,
    mark: (mark) => {
      process?.settled()
      dialogue = afterMark(dialogue, mark, clock.wallMs())
      listener.mark(mark, dialogue)
    },
  })
  const started = await begin({
    output: (chunk) => {
      if (disowned) return
      hear(chunk)
      wakeAll()
    },
    gone: (end) => {
      if (disowned || gone !== undefined) return
      gone = end
      process?.settled()
      listener.gone(end, ending !== undefined)
      wakeAll()
    },
  })
  if (started._tag === 'not-started') return E.left(started.failure)
  const own = asDeclared(started.process)
  process = own
  if (dialogue !== before || gone !== undefined) own.settled()
  return E.right({
    process: own,
    nonce,
    shows: shownBy(nonce !== undefined, own.shows),
    dialogue: () => dialogue,
    gone: () => gone,
    write: (text) => gone === undefined && own.write(text),
    press: () => {
      const next = dialogue.answers + 1
      if (gone === undefined) own.write(boundKey)
      return next
    },
    pressAside: () => {
      const next = dialogue.setAsides + 1
      if (gone === undefined) own.write(asideKey)
      return next
    },
    onChange: (wake) => {
      wakes.add(wake)
      return () => wakes.delete(wake)
    },
    end: () => {
      ending ??= own.end()
      return ending
    },
    disown: () => {
      disowned = true
      gone ??= { _tag: 'lost', detail: 'it was given up' }
      // Whoever waits for what it says waits in vain.
      wakeAll()
    },
  })
}

interface Heard {
  readonly output: (text: string) => void
  readonly mark: (mark: Mark) => void
}

const hearing = (nonce: string | undefined, heard: Heard): ((chunk: string) => void) => {
  if (nonce === undefined) return heard.output
  const scan = scannerOf(nonce)
  return (chunk) => {
    for (const token of scan(chunk)) {
      if (token._tag === 'output') heard.output(token.text)
      else if (token._tag === 'mark') heard.mark(token.mark)
    }
  }
}
