/** The driver of real local shells on pseudo-terminals. */
export {
  bashInitFile,
  type CommandOutcome,
  markCode,
  type OpenError,
  type OpenOptions,
  type ProcessIdentity,
  quoted,
  type TerminalSize,
} from '@session-recovery/shell'
export { type PtyDriver, type PtyOptions, type PtySession, ptyDriver } from './driver.js'
