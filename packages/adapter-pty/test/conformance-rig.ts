/**
 * The conformance suite's rig for local shells: real bash, broken behind the driver's back, watched
 * through the kernel; what is typed is counted where it enters the terminal.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countingClock, processesNaming, type Rig, shellRig } from '@session-recovery/testkit'
import { bash, realClock, rigOf, traits } from './rig.js'

/** Bytes written to terminals so far, by the process beneath; the test counts them. */
export const typedByProcess = new Map<number, number>()

/** A driver of real bashes in a home of their own. */
export const conformanceRig = async (): Promise<Rig> => {
  const place = mkdtempSync(join(tmpdir(), 'pty-conformance-'))
  const { clock, armed } = countingClock(realClock)
  const before = process.env.TMPDIR
  process.env.TMPDIR = place
  const { driver, home, open } = rigOf({ clock, promptTimeoutMs: 60_000 })
  const { program, pids, ...shells } = shellRig({ home, bash, session: driver.session })
  let closed: Promise<void> | undefined
  let left: readonly string[] = ['it was not closed']
  return {
    ...shells,
    driver,
    traits,
    open: async (id, { attended = false } = {}) => {
      await open(id, { command: program, attended })
      pids(id)
    },
    typedBytes: (id) => pids(id).reduce((sum, pid) => sum + (typedByProcess.get(pid) ?? 0), 0),
    processes: async () => processesNaming(home),
    close: () => {
      closed ??= (async () => {
        await driver.close()
        left = [
          ...processesNaming(home).map((pid) => `process ${pid}`),
          ...readdirSync(place).filter((name) => name.startsWith('session-recovery-')),
          ...(armed() > 0 ? [`${armed()} timers`] : []),
        ]
        if (before === undefined) delete process.env.TMPDIR
        else process.env.TMPDIR = before
        rmSync(place, { recursive: true, force: true })
      })()
      return closed
    },
    remains: async () => left,
  }
}
