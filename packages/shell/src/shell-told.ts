/**
 * What a session's shell told of the state it holds, read once however often it is asked for.
 */
import type { ShellState } from '@session-recovery/core'
import { integrationOf } from './integration-table.js'
import type { Session } from './session.js'
import type { Shell } from './shell.js'

interface Reading {
  readonly payload: string
  readonly state: ShellState | undefined
}

const readings = new WeakMap<Shell, Reading>()

/** What the session's process told last; `undefined`: nothing, or nothing that can be read. */
export const shellStateOf = ({ spec, shell }: Session): ShellState | undefined => {
  if (shell === undefined) return undefined
  const { shellState: payload, lastExitCode } = shell.dialogue()
  if (payload === undefined) return undefined
  const before = readings.get(shell)
  const state =
    before?.payload === payload
      ? before.state
      : integrationOf(spec.command, spec.args)?.readState(payload)
  readings.set(shell, { payload, state })
  return state === undefined || lastExitCode === undefined ? state : { ...state, lastExitCode }
}
