/**
 * What stands between us and a program's terminal: the channel, and what keeps the terminal when the
 * channel is lost. The words that our scripts say on the terminal are taken out of the output.
 */
import { constants } from 'node:os'
import { StringDecoder } from 'node:string_decoder'
import type { Exit } from '@session-recovery/core'
import { scannerOf, type TerminalSize } from '@session-recovery/shell'
import type { ClientChannel } from 'ssh2'
import { joined, type Keeper } from './keeper.js'
import { tmuxKeys, tmuxReaderOf, tmuxSize } from './tmux.js'

// ------------------------------------------------------------------------------------------ model

/** What is heard on a wire. */
export interface WireListener {
  readonly output: (text: string) => void
  /** A word that our script said. */
  readonly word: (word: string) => void
  /** It is over; `exit`: what ran on it ended so. */
  readonly over: (exit: Exit | undefined) => void
}

export interface Wire {
  /** `false`: it is over, or too much waits to be taken; nothing was written. */
  readonly write: (text: string) => boolean
  readonly resize: (size: TerminalSize) => void
  readonly close: () => void
}

/** More that the other side does not take is refused. */
const waitingLimitBytes = 4_194_304

const signalNames = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number as number, name]),
)

// ----------------------------------------------------------------------------------- constructors

/** A wire over a channel on a terminal. */
export const wireOver = (
  channel: ClientChannel,
  keeper: Keeper,
  frame: string,
  listener: WireListener,
): Wire => {
  const decoder = new StringDecoder('utf8')
  const scan = scannerOf(frame)
  let over = false
  let exit: Exit | undefined
  const hear = (text: string): void => {
    for (const token of scan(text)) {
      if (over) return
      if (token._tag === 'output') listener.output(token.text)
      if (token._tag === 'mark' && token.mark._tag === 'shell-state') {
        listener.word(token.mark.payload)
      }
    }
  }
  const end = (): void => {
    if (over) return
    over = true
    listener.over(exit)
  }
  const read = keeper === 'tmux' ? tmuxReaderOf() : undefined
  channel.on('data', (bytes: Buffer) => {
    if (read === undefined) return hear(decoder.write(bytes))
    for (const token of read(bytes)) {
      hear(token._tag === 'joined' ? joined : decoder.write(token.bytes))
    }
  })
  channel.stderr.resume()
  channel.on('exit', (code: number | null, signal?: string) => {
    exit =
      code === null ? { signal: `SIG${(signal ?? '').replace(/^SIG/, '')}` } : { exitCode: code }
  })
  channel.on('close', end)
  channel.on('error', end)
  return {
    write: (text) => {
      if (over || channel.writableLength > waitingLimitBytes) return false
      channel.write(read === undefined ? text : tmuxKeys(text))
      return true
    },
    resize: (size) => {
      if (over) return
      if (read === undefined) channel.setWindow(size.rows, size.cols, 0, 0)
      else channel.write(tmuxSize(size))
    },
    close: () => {
      over = true
      channel.close()
    },
  }
}

// ------------------------------------------------------------------------------------ combinators

/** What a program's end is told by: `X CODE`, or `X CODE signal`. */
export const exitIn = (word: string): Exit | undefined => {
  const told = /^X (\d{1,3}) (signal)?$/.exec(word)
  if (told === null) return undefined
  const code = Number(told[1])
  return told[2] === undefined
    ? { exitCode: code }
    : { signal: signalNames.get(code - 128) ?? `signal ${code - 128}` }
}
