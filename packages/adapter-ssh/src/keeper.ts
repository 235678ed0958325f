/**
 * What keeps a program's terminal when a connection is lost, and the command lines by which it is made
 * and joined again. They hold nothing but the path of a directory of ours and a size.
 */
import type { TerminalSize } from '@session-recovery/shell'
import type { SshKeeper } from './option.js'
import { socketIn } from './script.js'
import { tmuxConfiguration } from './tmux.js'

/** What was chosen for a start. */
export type Keeper = 'dtach' | 'tmux' | 'none'

/** The keeper for a host with these tools; `undefined`: it has not what was asked for. */
export const chosenKeeper = (wanted: SshKeeper, tools: ReadonlySet<string>): Keeper | undefined => {
  if (wanted === 'none') return 'none'
  // dtach hands everything through; tmux answers a terminal's queries itself besides.
  if (wanted === 'auto') return tools.has('dtach') ? 'dtach' : tools.has('tmux') ? 'tmux' : 'none'
  return tools.has(wanted) ? wanted : undefined
}

/** The files a keeper needs, by name. */
export const keeperFiles = (keeper: Keeper): Readonly<Record<string, string>> =>
  keeper === 'tmux' ? { 'tmux.conf': tmuxConfiguration } : {}

// No key of the user's is taken by what keeps.
const transparent = '-E -z'

/** A command line, and whether it wants a terminal of its own. */
export interface KeeperLine {
  readonly commandLine: string
  readonly onTerminal: boolean
}

/** Starts the scripts in `directory` on a terminal. */
export const startLine = (
  keeper: Keeper,
  directory: string,
  { cols, rows }: TerminalSize,
): KeeperLine => {
  const scripted = `sh ${directory}/start`
  switch (keeper) {
    case 'dtach':
      return {
        // A new terminal gets its size by what is meant to have a screen drawn again.
        commandLine: `exec dtach -c ${socketIn(directory)} ${transparent} -r winch ${scripted}`,
        onTerminal: true,
      }
    case 'tmux':
      return {
        commandLine: `exec tmux -u -S ${socketIn(directory)} -f ${directory}/tmux.conf -C new-session -x ${cols} -y ${rows} ${scripted}`,
        onTerminal: false,
      }
    case 'none':
      return { commandLine: `exec sh ${directory}/run`, onTerminal: true }
  }
}

/** Joins a terminal that was kept. */
export const joinLine = (keeper: Keeper, directory: string): KeeperLine =>
  keeper === 'tmux'
    ? {
        commandLine: `exec tmux -u -S ${socketIn(directory)} -f /dev/null -C attach-session`,
        onTerminal: false,
      }
    : {
        commandLine: `exec dtach -a ${socketIn(directory)} ${transparent} -r none`,
        onTerminal: true,
      }

/** What is heard on a wire once it is joined; dtach writes it itself. */
export const joined = '\x1b[H\x1b[J'
