/** What drivers of real shells share, wherever the shells run. */

export * from './bash-integration.js'
export * from './dialogue.js'
export {
  type OpenOptions,
  type ShellDriver,
  type ShellDriverOptions,
  type ShellDriverParts,
  shellDriver,
} from './driver.js'
export * from './environment.js'
export * from './host.js'
export * from './integration.js'
export * from './integration-table.js'
export * from './mark.js'
export { wrongNumber, wrongOption } from './option.js'
export * from './output.js'
export * from './quoting.js'
export * from './restorable.js'
export type { OpenError } from './roster.js'
export * from './rung.js'
export * from './scanner.js'
export * from './screen.js'
export type { CommandOutcome, ShellSession } from './session.js'
export * from './showing.js'
export * from './sight.js'
export * from './state-item.js'
export * from './system-call.js'
export * from './waiting.js'
