/**
 * The shells that are known, and which of them a program is.
 */
import { bashIntegration } from './bash-integration.js'
import { fishIntegration } from './fish-integration.js'
import type { ShellIntegration } from './integration.js'
import { zshIntegration } from './zsh-integration.js'

const integrations: readonly ShellIntegration[] = [bashIntegration, zshIntegration, fishIntegration]

/** The integration for a program; `undefined`: it gives no marks. */
export const integrationOf = (
  command: string,
  args: readonly string[],
): ShellIntegration | undefined => integrations.find((one) => one.fits(command, args))
