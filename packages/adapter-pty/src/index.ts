/** The driver of real local shells on pseudo-terminals. */

export type { TerminalSize } from '@session-recovery/shell'
export { bashInitFile, markCode, quoted } from '@session-recovery/shell'
export {
  type OpenOptions,
  type PtyDriver,
  type PtyOptions,
  ptyDriver,
} from './driver.js'
export type { ProcessIdentity } from './process.js'
export type { OpenError } from './roster.js'
export type { CommandOutcome, PtySession } from './session.js'
