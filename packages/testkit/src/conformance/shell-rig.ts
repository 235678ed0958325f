/**
 * The parts of a rig that are the same for every driver of shells whose hosts are this machine: how a
 * shell is broken behind the driver's back, and how it is watched.
 */
import { chmodSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '@session-recovery/core'
import { childrenOf, lifeOf } from '../process-sight.js'
import { type Mishap, type Rig, rememberedName } from './rig.js'

// ------------------------------------------------------------------------------------------ model

/** What is needed of a session of shells. */
export interface ShellInTest {
  readonly pid: () => number | undefined
  readonly write: (text: string) => boolean
  readonly exec: (line: string) => Promise<{ readonly _tag: string }>
}

export interface ShellGround {
  /** What the shells call their home. */
  readonly home: string
  /** A real bash, where the rig's shells are to find theirs. */
  readonly bash: string
  readonly session: (sessionId: string) => ShellInTest | undefined
}

export interface ShellRig extends Pick<Rig, 'probe' | 'remember' | 'recall' | 'begin' | 'begun'> {
  /** What sessions are to run: it can be exchanged behind the driver's back. */
  readonly program: string
  readonly mishaps: Rig['mishaps']
  /** The processes a session was seen to have so far. */
  readonly pids: (sessionId: string) => readonly number[]
}

const withinMs = 20_000

// ----------------------------------------------------------------------------------- constructors

/** A bash in `home` for sessions to run, and how to break and watch them. */
export const shellRig = ({ home, bash, session }: ShellGround): ShellRig => {
  const program = join(home, 'bash')
  symlinkSync(bash, program)
  const pids = new Map<string, Set<number>>()
  const pidOf = (id: string): number | undefined => {
    const pid = session(id)?.pid()
    if (pid !== undefined) pids.set(id, (pids.get(id) ?? new Set()).add(pid))
    return pid
  }
  const exec = async (id: string, line: string): Promise<void> => {
    const outcome = await session(id)?.exec(line)
    if (outcome?._tag !== 'finished') throw new Error(`${line}: ${JSON.stringify(outcome)}`)
  }
  const file = (id: string, what: string) => join(home, `${what}-${id}`)
  return {
    program,
    mishaps: {
      exit: {
        strike: async (id) => {
          const pid = pidOf(id)
          session(id)?.write('exit 7\r')
          await stoppedOrGone(pid)
        },
        noticed: { _tag: 'exited', exit: { exitCode: 7 } },
      },
      killed: {
        strike: async (id) => {
          const pid = pidOf(id)
          if (pid === undefined) return
          process.kill(pid, 'SIGKILL')
          await stoppedOrGone(pid)
          await seen('the driver lets go', () => session(id)?.pid() === undefined)
        },
        noticed: { _tag: 'exited', exit: { signal: 'SIGKILL' } },
      },
      hang: {
        strike: async (id) => {
          const pid = pidOf(id)
          if (pid === undefined) return
          process.kill(pid, 'SIGSTOP')
          await stoppedOrGone(pid)
        },
      },
      // Whoever is no interactive shell does not wait: a host is asked things by such.
      'slow-cancel': startUp(home, 'case $- in *i*) sleep 61;; esac\n'),
      'lying-success': {
        strike: async () => {
          unlinkSync(program)
          writeFileSync(program, impostor)
          chmodSync(program, 0o755)
        },
      },
    },
    pids: (id) => {
      pidOf(id)
      return [...(pids.get(id) ?? [])]
    },
    probe: async (id) => lifeOf(pidOf(id)),
    remember: (id, value) => exec(id, `export ${rememberedName}='${value}'`),
    recall: async (id) => {
      await exec(id, `printf %s "\${${rememberedName}-unset}" > ${file(id, 'recall')}`)
      return readFileSync(file(id, 'recall'), 'utf8')
    },
    begin: async (id) => {
      const line = `echo run >> ${file(id, 'runs')}; cat`
      session(id)?.write(`${line}\r`)
      await seen(`cat in ${id}`, () => childrenOf(pidOf(id) ?? 0).includes('cat'))
      return line
    },
    begun: async (id) => readFileSync(file(id, 'runs'), 'utf8').split('\n').length - 1,
  }
}

/** A clock that knows which of its timers are still armed. */
export const countingClock = (
  real: Clock,
): { readonly clock: Clock; readonly armed: () => number } => {
  const timers = new Set<object>()
  const clock: Clock = {
    ...real,
    schedule: (delayMs, task) => {
      const timer = {}
      timers.add(timer)
      const cancel = real.schedule(delayMs, () => {
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

// What it prints looks like the marks of a shell, but nobody told it the nonce.
const impostor = `#!/bin/sh
printf '\\033]633;A;forged\\007\\033]133;A\\007$ '
exec cat
`

const startUp = (home: string, text: string): Mishap => ({
  strike: async () => writeFileSync(join(home, '.bashrc'), text),
  mend: async () => rmSync(join(home, '.bashrc')),
})

// ------------------------------------------------------------------------------------ combinators

const stoppedOrGone = (pid: number | undefined): Promise<void> =>
  seen(`the end of ${pid}`, () => !lifeOf(pid).alive)

const seen = async (what: string, holds: () => boolean): Promise<void> => {
  const endMs = performance.now() + withinMs
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`not seen within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
