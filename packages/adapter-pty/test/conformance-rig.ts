/**
 * The conformance suite's rig for local shells: real bash, broken behind the driver's back, watched
 * through the kernel; what is typed is counted where it enters the terminal.
 */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '@session-recovery/core'
import { type Life, type Mishap, type Rig, rememberedName } from '@session-recovery/testkit'
import { bash, eventually, processesNaming, realClock, rigOf, traits } from './rig.js'

/** Bytes written to terminals so far, by the process beneath; the test counts them. */
export const typedByProcess = new Map<number, number>()

/** A clock that knows which of its timers are still armed. */
const countingClock = () => {
  const timers = new Set<object>()
  const clock: Clock = {
    ...realClock,
    schedule: (delayMs, task) => {
      const timer = {}
      timers.add(timer)
      const cancel = realClock.schedule(delayMs, () => {
        timers.delete(timer)
        task()
      })
      return () => {
        timers.delete(timer)
        cancel()
      }
    },
  }
  return { clock, armed: () => timers.size }
}

const lifeOf = (pid: number | undefined): Life => {
  if (pid === undefined) return { alive: false, detail: 'no process' }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return {
      alive: !'TtZX'.includes(state),
      identity: `${pid} since ${fields[18]}`,
      detail: `process ${pid} is in state ${state}`,
    }
  } catch {
    return { alive: false, detail: `process ${pid} is gone` }
  }
}

// What it prints looks like the marks of a shell, but nobody told it the nonce.
const impostor = `#!/bin/sh
printf '\\033]633;A;forged\\007\\033]133;A\\007$ '
exec cat
`

/** A driver of real bashes in a home of their own. */
export const conformanceRig = async (): Promise<Rig> => {
  const place = mkdtempSync(join(tmpdir(), 'pty-conformance-'))
  const { clock, armed } = countingClock()
  const before = process.env.TMPDIR
  process.env.TMPDIR = place
  const { driver, home, open } = rigOf({ clock, promptTimeoutMs: 60_000 })
  const program = join(home, 'bash')
  symlinkSync(bash, program)
  const pids = new Map<string, Set<number>>()
  const pidOf = (id: string): number | undefined => {
    const pid = driver.session(id)?.pid()
    if (pid !== undefined) pids.set(id, (pids.get(id) ?? new Set()).add(pid))
    return pid
  }
  const signal = (id: string, name: NodeJS.Signals) => process.kill(pidOf(id) ?? 0, name)
  const exec = async (id: string, line: string): Promise<void> => {
    const outcome = await driver.session(id)?.exec(line)
    if (outcome?._tag !== 'finished') throw new Error(`${line}: ${JSON.stringify(outcome)}`)
  }
  const gone = (pid: number | undefined) =>
    eventually(`the end of ${pid}`, () => (lifeOf(pid).alive ? undefined : true), 20_000)
  const mishaps: Rig['mishaps'] = {
    exit: {
      strike: async (id) => {
        const pid = pidOf(id)
        driver.session(id)?.write('exit 7\r')
        await gone(pid)
      },
      noticed: { _tag: 'exited', exit: { exitCode: 7 } },
    },
    killed: {
      strike: async (id) => {
        const pid = pidOf(id)
        if (pid === undefined) return
        signal(id, 'SIGKILL')
        await gone(pid)
        await eventually('the driver lets go', () =>
          driver.session(id)?.pid() === undefined ? true : undefined,
        )
      },
      noticed: { _tag: 'exited', exit: { signal: 'SIGKILL' } },
    },
    hang: {
      strike: async (id) => {
        const pid = pidOf(id)
        signal(id, 'SIGSTOP')
        await gone(pid)
      },
    },
    'slow-cancel': startUp(home, 'sleep 61\n'),
    'lying-success': {
      strike: async () => {
        unlinkSync(program)
        writeFileSync(program, impostor)
        chmodSync(program, 0o755)
      },
    },
  }
  const file = (id: string, what: string) => join(home, `${what}-${id}`)
  let closed: Promise<void> | undefined
  let left: readonly string[] = ['it was not closed']
  return {
    driver,
    traits,
    mishaps,
    open: async (id, { attended = false } = {}) => {
      await open(id, { command: program, attended })
      pidOf(id)
    },
    probe: async (id) => lifeOf(pidOf(id)),
    remember: (id, value) => exec(id, `export ${rememberedName}='${value}'`),
    recall: async (id) => {
      await exec(id, `printf %s "\${${rememberedName}-unset}" > ${file(id, 'recall')}`)
      return readFileSync(file(id, 'recall'), 'utf8')
    },
    begin: async (id) => {
      const line = `echo run >> ${file(id, 'runs')}; cat`
      driver.session(id)?.write(`${line}\r`)
      const children = () => childrenOf(pidOf(id) ?? 0)
      await eventually(
        `cat in ${id}`,
        () => (children().includes('cat') ? true : undefined),
        20_000,
      )
      return line
    },
    begun: async (id) => readFileSync(file(id, 'runs'), 'utf8').split('\n').length - 1,
    typedBytes: (id) => {
      pidOf(id)
      return [...(pids.get(id) ?? [])].reduce((sum, pid) => sum + (typedByProcess.get(pid) ?? 0), 0)
    },
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

const startUp = (home: string, text: string): Mishap => ({
  strike: async () => writeFileSync(join(home, '.bashrc'), text),
  mend: async () => rmSync(join(home, '.bashrc')),
})

const childrenOf = (pid: number): readonly string[] => {
  const path = `/proc/${pid}/task/${pid}/children`
  if (!existsSync(path)) return []
  return readFileSync(path, 'utf8')
    .split(' ')
    .filter((child) => child !== '')
    .map((child) => nameOf(child))
}

const nameOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}
