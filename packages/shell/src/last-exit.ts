/**
 * The code of the last command, as a new shell is made to begin with it: by a last step that ends with that
 * code. Where a code has consequences of its own, the shell begins with none.
 */
import type { ShellState } from '@session-recovery/core'

/** Why no step may end with another code than 0; `undefined`: it may. */
export const unreturnable = ({ options, traps, shell }: ShellState): string | undefined => {
  // Of fish these are functions that an event calls: none of them is about a code.
  if (shell === 'fish') return undefined
  if (options.errexit === true || options.errreturn === true) {
    return 'a code would end a shell that ends at the first error'
  }
  return Object.values(traps).some((command) => command !== '')
    ? 'a code would spring a trap'
    : undefined
}

/** The code that a last step may end with. */
export const returnable = (state: ShellState): number =>
  unreturnable(state) === undefined ? state.lastExitCode : 0
