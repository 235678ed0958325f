/**
 * What this machine shows of its processes: found out by looking at one that is surely there, this one.
 * All of it comes from Linux's /proc; a system without it shows that a process lives, and no more.
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import {
  type HostShowable,
  type HostShowing,
  nothingShown,
  systemCallOf,
} from '@session-recovery/shell'
import { environmentOf, readStat, systemCallLineOf, workingDirectoryOf } from './process.js'

/** What the kernel shows here, and what the programs that are here can ask it. */
export const shownHere = (): HostShowing => {
  const { pid, arch } = process
  if (readStat(pid) === undefined) return nothingShown
  const shown: readonly (readonly [HostShowable, boolean])[] = [
    ['identity', true],
    ['foreground', true],
    ['leftover', true],
    ['directory', workingDirectoryOf(pid) !== undefined],
    ['environment', environmentOf(pid) !== undefined],
    // Of a kernel built without it there is no such file; of other machines the numbers are not known.
    ['waiting', systemCallLineOf(pid) !== undefined && systemCallOf('running', arch) !== undefined],
    ['terminalFlags', isInPath('stty')],
  ]
  return new Set(shown.flatMap(([each, is]) => (is ? [each] : [])))
}

const isInPath = (program: string): boolean =>
  (process.env.PATH ?? '').split(delimiter).some((place) => {
    try {
      accessSync(join(place, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
