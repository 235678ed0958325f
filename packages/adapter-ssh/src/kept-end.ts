/**
 * Ending a program that another driver started and that was kept: nothing is known of it but its name
 * and who it is, both from a store. It is ended only when it still is the very process that is meant.
 */
import type { Cancellation } from '@session-recovery/core'
import type { KeptEnd, KeptProcess, StartFailure } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import type { Answer } from './control.js'
import { leftoverIn } from './remote-process.js'
import { endKeptScript, stillThere } from './script.js'
import type { Held } from './seat.js'

/** Ends it, or notes that it is owed its end where its host cannot be reached. */
export const endKeptOn = async (
  { board, ledger }: Held,
  sessionId: string,
  kept: KeptProcess,
  signal: Cancellation | undefined,
): Promise<E.Either<StartFailure, KeptEnd>> => {
  const directory = directoryIn(kept.name)
  const { identity } = kept
  if (directory === undefined || identity.startTicks === undefined) {
    const detail = 'it cannot be told from a later one of the same number, and is let be'
    return E.right({ _tag: 'let-be', detail })
  }
  const script = endKeptScript({ identity, directory, kept })
  const ending = ledger.ending(sessionId)
  const line = await board.take(signal)
  const answer: E.Either<string | StartFailure, Answer> = E.isLeft(line)
    ? line
    : await line.right.control.run(script)
  if (E.isRight(line)) await board.giveBack(line.right)
  if (E.isLeft(answer)) {
    ending.missed(board.owe, script)
    return E.left(typeof answer.left === 'string' ? { detail: answer.left } : answer.left)
  }
  ending.done()
  const { code, bytes } = answer.right
  if (code === stillThere) return E.right({ _tag: 'let-be', detail: 'it did not end' })
  return E.right(
    code === 0 ? { _tag: 'ended', leftover: leftoverIn(bytes.toString('utf8')) } : { _tag: 'gone' },
  )
}

// What is read from a store names a directory that is removed: only one of ours will do.
const nameOfOurs = /^(?:dtach|tmux):((?:\/[^/\0\n]+)*\/session-recovery-[0-9a-f]{24})$/

const directoryIn = (name: string): string | undefined => {
  const directory = nameOfOurs.exec(name)?.[1]
  return directory?.split('/').includes('..') ? undefined : directory
}
