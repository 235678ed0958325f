/**
 * Joining a program that went on without us: who it is is looked at anew, and what is left of the
 * connection it was on is ended.
 */
import type { Cancellation } from '@session-recovery/core'
import {
  type ProcessListener,
  type Started,
  type StartFailure,
  type TerminalSize,
  waitFor,
} from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { joined, joinLine } from './keeper.js'
import { type Line, servedIn } from './line.js'
import { birthOf } from './remote-process.js'
import { forsakeScript, sameProcess, servedScript } from './script.js'
import { type Berth, begun, bornWithinMs, type Held, laid, notStarted } from './seat.js'

/** Joins a program that was kept; it must be the very process that is meant. */
export const attachOn = async (
  line: Line,
  berth: Berth,
  size: TerminalSize,
  listener: ProcessListener,
  signal: Cancellation | undefined,
  held: Held,
): Promise<Started> => {
  const { control } = line
  const { kept, resident, keeper, frame, served } = berth
  const birth = birthOf(joined)
  // dtach passes on only a change of size: it comes when it has joined.
  const first = keeper === 'dtach' ? { ...size, rows: size.rows + 1 } : size
  const forsaking = served === undefined ? '' : forsakeScript(served)
  const [seen, wire] = await Promise.all([
    control.call(`${forsaking}\n${sameProcess(kept.identity, 'return')}\n${servedScript}`),
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
  const now = servedIn(seen.right.bytes.toString('utf8'), kept.identity.bootId)
  held.berths.set(kept.name, { ...berth, served: now })
  return begun(resident, now, { line, wire: wire.right, birth }, listener, held)
}
