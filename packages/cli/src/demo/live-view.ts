/**
 * The live view: a line a session with its state, its strategy and the countdown of its backoff. On a
 * terminal the lines are redrawn; elsewhere each decision is one plain line.
 */
import { styleText } from 'node:util'
import { factsOf, isRecovering, type Notice } from '@session-recovery/core'
import type { Engine, SessionStatus } from '@session-recovery/engine'
import { createLogUpdate } from 'log-update'
import type { Mishap } from './mishap.js'

export interface LiveView {
  /** Draws the last state and stops. */
  readonly end: () => void
}

const refreshMs = 80

/** What the columns before the description take. */
const fixedColumns = 66

type Colour = Parameters<typeof styleText>[0]

const colourOf = (state: string): Colour => {
  if (state.startsWith('recovering')) return 'yellow'
  return state === 'exhausted' ? 'red' : 'green'
}

const strategyOf = ({ record }: SessionStatus): string => {
  const { incident } = record.control
  if (incident === undefined || record.state === 'recovering.backingOff') return ''
  return incident.plan.strategies[incident.index] ?? ''
}

const countdownOf = ({ record }: SessionStatus, nowMs: number): string => {
  const { incident } = record.control
  if (record.state !== 'recovering.backingOff' || incident?.dueAtMs === undefined) return ''
  const leftMs = Math.max(0, incident.dueAtMs - nowMs)
  return `attempt ${record.control.used + 1} in ${(leftMs / 1_000).toFixed(1)} s`
}

const lineOf = (mishap: Mishap, status: SessionStatus | undefined, nowMs: number): string => {
  const state = status?.record.state ?? 'unregistered'
  const done =
    status !== undefined && !isRecovering(status.record) && status.record.control.incidents
  const mark = done ? (state === 'exhausted' ? '✗' : '✓') : ' '
  const detail = status === undefined ? '' : strategyOf(status) || countdownOf(status, nowMs)
  const shown = styleText(colourOf(state), `${mark} ${state.padEnd(24)}`)
  // What does not fit is left out: a line that wraps would make the view jump.
  const what = mishap.what.slice(0, Math.max(0, process.stdout.columns - fixedColumns))
  return `${mishap.sessionId.padEnd(14)} ${shown} ${detail.padEnd(22)} ${styleText('dim', what)}`
}

const redrawn = (engine: Engine, mishaps: readonly Mishap[]): LiveView => {
  const update = createLogUpdate(process.stdout)
  const draw = () => {
    const nowMs = Date.now()
    update(mishaps.map((m) => lineOf(m, engine.status(m.sessionId), nowMs)).join('\n'))
  }
  const timer = setInterval(draw, refreshMs)
  return {
    end: () => {
      clearInterval(timer)
      draw()
      update.done()
    },
  }
}

/** One line for each decision that tells something. */
const plain = (engine: Engine, beganMs: number): LiveView => {
  const end = engine.subscribe((notice: Notice) => {
    if (notice._tag !== 'decided') return
    const seconds = ((notice.entry.wallMs - beganMs) / 1_000).toFixed(2).padStart(6)
    for (const fact of factsOf(notice.entry)) {
      const strategy = 'strategy' in fact ? ` ${fact.strategy}` : ''
      const missed =
        fact._tag === 'strategy-missed' ? ` ${fact.miss.strategy}: ${fact.miss.detail}` : ''
      const delay = fact._tag === 'backoff-began' ? ` ${fact.delayMs} ms` : ''
      const why = fact._tag === 'incident-opened' ? ` (${fact.failure.reason})` : ''
      const sessionId = notice.entry.sessionId.padEnd(14)
      process.stdout.write(
        `${seconds} s  ${sessionId} ${notice.record.state.padEnd(24)} ${fact._tag}${strategy}${missed}${delay}${why}\n`,
      )
    }
  })
  return { end }
}

/** Shows what the engine does until it is ended. */
export const liveView = (engine: Engine, mishaps: readonly Mishap[]): LiveView =>
  process.stdout.isTTY ? redrawn(engine, mishaps) : plain(engine, Date.now())
