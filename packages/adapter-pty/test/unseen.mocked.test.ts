/**
 * Where the kernel does not show enough — another user's process, a system without /proc — the answer is
 * `unknown`, nothing is typed, and what the marks tell still works.
 */
import { spawn } from 'node:child_process'
import type * as NodePty from '@lydell/node-pty'
import {
  type Capture,
  classify,
  defaultPolicy,
  type RunOutcome,
  type Verdict,
} from '@session-recovery/core'
import { type Host, nothingShown, type ShellDriver, shellDriver } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { localHost } from '../src/local-host.js'
import { ignoresStopsOf, readStat, waitingOf } from '../src/process.js'
import { bash, eventually, realClock, rigOf, traits } from './rig.js'

const typed: string[] = []
vi.mock('@lydell/node-pty', async (original) => {
  const real = await original<typeof NodePty>()
  const spawnPty: typeof real.spawn = (...args) => {
    const pty = real.spawn(...args)
    const write = pty.write.bind(pty)
    pty.write = (text) => {
      typed.push(String(text))
      write(text)
    }
    return pty
  }
  return { ...real, spawn: spawnPty }
})

const isRoot = process.geteuid?.() === 0
const nobody = 65_534

describe("another user's process", () => {
  const shownOf = (pid: number) => ({
    waiting: waitingOf(pid),
    stops: ignoresStopsOf(pid),
    stat: readStat(pid),
  })

  it('does not show what it waits for, only that it is there', async () => {
    if (!isRoot) {
      expect(shownOf(1)).toMatchObject({ waiting: undefined, stat: { pid: 1 } })
      return
    }
    const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] })
    const pid = child.pid ?? 0
    try {
      await eventually('cat reads', () => (waitingOf(pid)?._tag === 'reading' ? true : undefined))
      // Nothing is waited for in between, so that nothing else runs as that user.
      process.seteuid?.(nobody)
      const shown = shownOf(pid)
      process.seteuid?.(0)
      expect(shown).toMatchObject({ waiting: undefined, stops: false, stat: { pid, state: 'S' } })
    } finally {
      process.seteuid?.(0)
      child.stdin.end()
    }
  })
})

describe('a host that shows no more than life', () => {
  const rig = rigOf()
  let close = async (): Promise<void> => {}
  afterEach(async () => {
    await close()
    await rig.close()
  })

  // What it sees it does not declare: nothing of it may count.
  const blind = (host: Host): Host => ({
    ...host,
    start: async (...args) => {
      const started = await host.start(...args)
      return started._tag === 'not-started'
        ? started
        : { ...started, process: { ...started.process, shows: nothingShown } }
    },
  })

  const driverOn = (): ShellDriver => {
    const machine = localHost(realClock)
    const driver = shellDriver(
      {
        name: 'blind',
        shows: nothingShown,
        pool: { hostOf: () => E.right(blind(machine)), others: () => [] },
        strategies: new Set(['restart', 'prompt-interrupt', 'prompt-reset', 'session-refresh']),
        defaultCommand: () => bash,
        adoptedEnvironment: (known) => known,
        close: async () => machine.close(),
      },
      { clock: realClock },
    )
    close = driver.close
    return driver
  }

  it('works by its marks: at the prompt it is asked, what runs is unknown and untouched', async () => {
    const driver = driverOn()
    const opened = await driver.open('a', { cwd: rig.home, env: rig.env })()
    if (E.isLeft(opened)) throw new Error(JSON.stringify(opened.left))
    const session = opened.right
    const request = {
      sessionId: 'a',
      incarnation: 1,
      traits,
      token: 'token',
      signal: new AbortController().signal,
    }
    const kind = async () => right<Capture>(await driver.capture(request)()).foreground.kind
    const run = async (strategy: 'restart' | 'prompt-interrupt' | 'session-refresh') =>
      right<RunOutcome>(
        await driver.run({
          ...request,
          strategy,
          attempt: 1,
          failure: classify('lost', []),
          plan: {
            sessionId: 'a',
            strategies: [strategy],
            priority: 'medium',
            estimatedTime: 0,
            requiredResources: [],
            fallbackOptions: [],
          },
          repeated: false,
          lostSecrets: [],
          policy: defaultPolicy,
        })(),
      )
    const verify = async (strategy?: 'restart') =>
      right<Verdict>(
        await driver.verify({ ...request, ...(strategy === undefined ? {} : { strategy }) })(),
      )
    expect(await kind()).toBe('at-prompt')
    expect(await session.exec('(exit 3)')).toEqual({ _tag: 'finished', exitCode: 3 })
    expect(await run('session-refresh')).toMatchObject({ _tag: 'done' })
    expect(await verify()).toMatchObject({ _tag: 'alive' })

    for (const [line, begun] of [
      ['cat', undefined],
      ['echo "unclosed', undefined],
      [`printf '\\e[?1049h'; read x`, 'full-screen'],
    ] as const) {
      session.write(`${line}\r`)
      await eventually(`${line} runs`, async () =>
        (await kind()) === (begun ?? 'unknown') ? true : undefined,
      )
      const before = typed.length
      expect(await run('prompt-interrupt')).toMatchObject({ _tag: 'not-applicable' })
      expect(await verify()).toMatchObject({ _tag: 'alive' })
      expect(typed.slice(before)).toEqual([])
      session.write('\x03')
      await eventually('the prompt', async () =>
        (await kind()) === 'at-prompt' ? true : undefined,
      )
    }
    expect(await run('restart')).toMatchObject({ _tag: 'done' })
    expect(await verify('restart')).toMatchObject({ _tag: 'alive' })
  })
})

const right = <A>(either: E.Either<unknown, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}
