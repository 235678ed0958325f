/**
 * What keeps a program's terminal when a connection is lost, and the command lines by which it is made
 * and joined again. They hold nothing but the path of a directory of ours.
 */
import type { SshKeeper } from './option.js'

/** What was chosen for a start. */
export type Keeper = 'dtach' | 'none'

/** The keeper for a host with these tools; `undefined`: it has not what was asked for. */
export const chosenKeeper = (wanted: SshKeeper, tools: ReadonlySet<string>): Keeper | undefined => {
  if (wanted === 'none') return 'none'
  if (wanted === 'auto') return tools.has('dtach') ? 'dtach' : 'none'
  return tools.has(wanted) && wanted === 'dtach' ? wanted : undefined
}

// No key of the user's is taken by what keeps, and nothing is drawn again.
const transparent = '-E -z -r none'

/** Starts the scripts in `directory` on a terminal. */
export const startLine = (keeper: Keeper, directory: string): string =>
  keeper === 'dtach'
    ? `exec dtach -c ${directory}/s ${transparent} sh ${directory}/start`
    : `exec sh ${directory}/run`

/** Joins a terminal that was kept. */
export const joinLine = (directory: string): string => `exec dtach -a ${directory}/s ${transparent}`

/** What dtach writes when it has joined. */
export const joined = '\x1b[H\x1b[J'
