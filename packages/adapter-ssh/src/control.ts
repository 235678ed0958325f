/**
 * A channel of a connection on which one POSIX `sh` reads scripts and answers each, framed by random
 * text: looking at a process, or signalling it, costs one round trip and no login.
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { ClientChannel } from 'ssh2'
import type { Connection } from './connection.js'

// ------------------------------------------------------------------------------------------ model

export interface Answer {
  /** The script's exit code. */
  readonly code: number
  readonly bytes: Buffer
}

export interface Control {
  /** Runs a script in a subshell of its own, after those before it; left: it was not answered. */
  readonly run: (script: string) => Promise<E.Either<string, Answer>>
  /** As `run`, without the subshell: the script changes nothing of the shell and leaves by `return`. */
  readonly call: (script: string) => Promise<E.Either<string, Answer>>
}

interface Asked {
  readonly frame: Buffer
  readonly answer: (answer: E.Either<string, Answer>) => void
}

const answeredWithinMs = 15_000
/** More is no answer to any of our scripts. */
const answerLimitBytes = 8_388_608

// ----------------------------------------------------------------------------------- constructors

/** The control channel of a connection; it is opened when it is first needed, and again if it ends. */
export const controlOf = (connection: Connection, clock: Clock): Control => {
  let line: Promise<E.Either<string, Line>> | undefined
  const said = async (commands: string): Promise<E.Either<string, Answer>> => {
    line ??= openLine(connection)
    const current = line
    const opened = await current
    if (E.isLeft(opened) || opened.right.isOver()) {
      if (line === current) line = undefined
      return E.isLeft(opened) ? opened : E.left('the control channel was closed')
    }
    const answer = await answered(opened.right, commands, clock)
    if (E.isLeft(answer) && line === current) line = undefined
    return answer
  }
  return {
    // No script may read what the shell reads, its own commands.
    run: (script) => said(`(\n${script}\n) </dev/null 2>/dev/null`),
    call: (script) => said(`f() {\n${script}\n}\nf </dev/null 2>/dev/null`),
  }
}

// ------------------------------------------------------------------------------------ combinators

interface Line {
  readonly ask: (commands: string, answer: Asked['answer']) => void
  readonly isOver: () => boolean
  readonly end: (detail: string) => void
}

const answered = (line: Line, commands: string, clock: Clock): Promise<E.Either<string, Answer>> =>
  new Promise((resolve) => {
    const cancel = clock.schedule(answeredWithinMs, () => {
      line.end(`no answer within ${answeredWithinMs} ms`)
    })
    line.ask(commands, (answer) => {
      cancel()
      resolve(answer)
    })
  })

const openLine = async (connection: Connection): Promise<E.Either<string, Line>> => {
  const opened = await connection.run('exec sh')
  return E.map((channel: ClientChannel) => {
    const line = lineOver(channel, connection)
    // What a login says before the shell is there is no part of the first answer.
    line.ask(':', () => {})
    return line
  })(opened)
}

const lineOver = (channel: ClientChannel, connection: Connection): Line => {
  const waiting: Asked[] = []
  let held: Buffer[] = []
  let heldBytes = 0
  let over = false
  const end = (detail: string): void => {
    if (over) return
    over = true
    stopHearing()
    channel.close()
    for (const { answer } of waiting.splice(0)) answer(E.left(detail))
  }
  const stopHearing = connection.onLost(end)
  const take = (): void => {
    while (waiting.length > 0) {
      const all = Buffer.concat(held)
      held = [all]
      const [first] = waiting
      const read = first === undefined ? undefined : readAnswer(all, first.frame)
      if (first === undefined || read === undefined) return
      waiting.shift()
      held = [all.subarray(read.end)]
      heldBytes = all.length - read.end
      first.answer(E.right(read.answer))
    }
  }
  channel.on('data', (bytes: Buffer) => {
    held.push(bytes)
    heldBytes += bytes.length
    // A frame ends with its line: nothing else can complete an answer.
    if (bytes.at(-1) === lineFeed) take()
    if (heldBytes > answerLimitBytes) end('the answer is too long')
  })
  channel.stderr.resume()
  channel.on('close', () => end('the control channel was closed'))
  channel.on('error', (error: Error) => end(error.message))
  return {
    ask: (commands, answer) => {
      if (over) return answer(E.left('the control channel was closed'))
      const frame = randomBytes(16).toString('hex')
      waiting.push({ frame: Buffer.from(`\n${frame} `), answer })
      channel.write(`${commands}\nprintf '\\n%s %s\\n' ${frame} $?\n`)
    },
    isOver: () => over,
    end,
  }
}

const lineFeed = 10

const readAnswer = (
  all: Buffer,
  frame: Buffer,
): { readonly answer: Answer; readonly end: number } | undefined => {
  const at = all.indexOf(frame)
  if (at < 0) return undefined
  const end = all.indexOf(lineFeed, at + frame.length)
  if (end < 0) return undefined
  const code = Number(all.subarray(at + frame.length, end).toString('latin1'))
  return { answer: { code, bytes: all.subarray(0, at) }, end: end + 1 }
}
