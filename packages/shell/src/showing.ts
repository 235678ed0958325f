/**
 * What is shown of a session of shells: by the program, which gives signed marks or none, and by the host,
 * whose kernel shows much, little or nothing. What a host does not declare is cut off where a process
 * enters the driver: whatever the driver then decides, it decides by what was declared.
 */
import { type Showing, showingOf } from '@session-recovery/core'
import {
  type HostShowing,
  hostShowables,
  type Process,
  type ProcessFact,
  type TerminalFact,
} from './host.js'

// ------------------------------------------------------------------------------------------ model

/** Of a host whose kernel shows all that is asked of it. */
export const everythingShown: HostShowing = new Set(hostShowables)
/** Of a host that shows no more than that a process lives. */
export const nothingShown: HostShowing = new Set()

const byMark = {
  prompt: 'mark',
  commands: 'mark',
  exitCodes: 'mark',
  directory: 'mark',
  environment: 'mark',
  shellState: 'mark',
  history: 'mark',
} as const

// ------------------------------------------------------------------------------------ combinators

/** Who shows what, of a program that gives marks or none, on a host. A mark says more than the kernel. */
export const shownBy = (givesMarks: boolean, host: HostShowing): Showing =>
  showingOf({
    ...Object.fromEntries([...host].map((each) => [each, 'kernel'])),
    ...(givesMarks ? byMark : {}),
  })

/** The process, without what its host does not declare to show. */
export const asDeclared = (process: Process): Process => {
  const { shows, identity } = process
  if (hostShowables.every((each) => shows.has(each))) return process
  return {
    ...process,
    identity: shows.has('identity') ? identity : { pid: identity.pid },
    look: async (flags) => cut(await process.look(flags && shows.has('terminalFlags')), shows),
    surroundings: async () => {
      if (!shows.has('directory') && !shows.has('environment')) return {}
      const { workingDirectory, environment } = await process.surroundings()
      return {
        ...(workingDirectory === undefined || !shows.has('directory') ? {} : { workingDirectory }),
        ...(environment === undefined || !shows.has('environment') ? {} : { environment }),
      }
    },
    end: async () => ({
      ...(await process.end()),
      ...(shows.has('leftover') ? {} : { unseen: true as const }),
    }),
  }
}

const cut = (fact: TerminalFact, shows: HostShowing): TerminalFact => {
  const { leader, foregroundGroup, foreground, flags, ...rest } = fact
  const seen = (each: ProcessFact): ProcessFact => {
    const { waiting, ...others } = each
    return shows.has('waiting') ? each : others
  }
  return {
    ...rest,
    ...(flags === undefined || !shows.has('terminalFlags') ? {} : { flags }),
    ...(shows.has('foreground')
      ? {
          ...(leader === undefined ? {} : { leader: seen(leader) }),
          ...(foregroundGroup === undefined ? {} : { foregroundGroup }),
          foreground: foreground.map(seen),
        }
      : { foreground: [] }),
  }
}
