/** The driver of real local shells on pseudo-terminals. */
export { bashInitFile } from './bash-integration.js'
export {
  type OpenOptions,
  type PtyDriver,
  type PtyOptions,
  ptyDriver,
} from './driver.js'
export { markCode } from './mark.js'
export type { ProcessIdentity } from './process.js'
export { quoted } from './quoting.js'
export type { OpenError } from './roster.js'
export type { TerminalSize } from './screen.js'
export type { CommandOutcome, PtySession } from './session.js'
