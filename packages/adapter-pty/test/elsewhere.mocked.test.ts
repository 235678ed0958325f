/**
 * A machine that is no Linux, simulated: there is no /proc. It shows that a process lives and no more, says
 * so, and everything works with the evidence there is.
 */
import * as NodeFs from 'node:fs'
import {
  type Receipt,
  type Showable,
  showingOf,
  type Traits,
  unshown,
  type Verdict,
} from '@session-recovery/core'
import { misdeclared } from '@session-recovery/testkit'
import { afterEach, beforeEach, describe, expect, vi } from 'vitest'
import { needing, quieten } from './dialect.js'
import { died, eventually, type Rig, rigOf, traits } from './rig.js'

vi.mock('node:fs', async (original) => {
  const real = await original<typeof NodeFs>()
  const hiding =
    <A extends readonly unknown[], B>(read: (...args: A) => B) =>
    (...args: A): B => {
      if (String(args[0]).startsWith('/proc')) throw new Error('ENOENT: there is no /proc')
      return read(...args)
    }
  const hidden = {
    openSync: hiding(real.openSync),
    readFileSync: hiding(real.readFileSync as (path: string, ...more: unknown[]) => unknown),
    readdirSync: hiding(real.readdirSync as (path: string, ...more: unknown[]) => unknown),
    readlinkSync: hiding(real.readlinkSync as (path: string, ...more: unknown[]) => unknown),
  }
  return { ...real, ...hidden, default: { ...real, ...hidden } }
})

const here = process.platform
const pretend = (platform: NodeJS.Platform): void => {
  Object.defineProperty(process, 'platform', { value: platform })
}

const marked: readonly Showable[] = [
  'prompt',
  'commands',
  'exitCodes',
  'directory',
  'environment',
  'shellState',
  'history',
]
const whole = showingOf(Object.fromEntries(marked.map((each) => [each, 'mark'])))

const receiptIn = (verdict: Verdict): Receipt => {
  if (verdict._tag !== 'alive') throw new Error(`unproved: ${verdict.detail}`)
  return verdict.receipt
}
const statuses = ({ items }: Receipt) =>
  Object.fromEntries(Object.entries(items).map(([name, { status }]) => [name, status]))

const slowMs = 20_000

describe.each(['darwin', 'win32'] as const)('on %s', (platform) => {
  let rig: Rig
  beforeEach(() => {
    pretend(platform)
    rig = rigOf({ promptTimeoutMs: 60_000 })
    quieten(rig.home)
  })
  afterEach(async () => {
    await rig.close()
    pretend(here)
  })

  const kill = async (): Promise<void> => {
    process.kill(rig.driver.session('a')?.pid() ?? 0, 'SIGKILL')
    await died(rig, 'a')
  }

  for (const shell of ['bash', 'zsh', 'fish']) {
    needing(shell)(`(${shell}) works by its marks, and what runs is unknown`, async () => {
      const session = await rig.open('a', { command: shell })
      expect(() => NodeFs.readFileSync('/proc/self/stat')).toThrow()
      expect(session.shows()).toEqual(whole)
      expect(rig.driver.supports.shows).toEqual(whole)
      expect(session.identity()).toEqual({ pid: session.pid() })
      expect(await session.exec('cd /usr')).toEqual({ _tag: 'finished', exitCode: 0 })
      const idle = await rig.capture('a')
      expect(idle.update.workingDirectory).toBe('/usr')
      expect(receiptIn(await rig.verify('a')).evidence).toMatchObject([{ source: 'mark' }])
      const snapshot = await rig.snapshot('a')

      session.write('cat\r')
      const busy = await eventually(
        'what runs',
        async () => {
          const seen = await rig.capture('a')
          return (seen.update.interactiveState?.pendingCommands.length ?? 0) > 0 ? seen : undefined
        },
        slowMs,
      )
      expect(busy.foreground.kind).toBe('unknown')
      expect(misdeclared(session.shows(), { idle, busy })).toEqual([])
      expect(await rig.run('a', 'prompt-interrupt')).toMatchObject({ _tag: 'not-applicable' })

      await kill()
      expect(await rig.run('a', 'restore', { snapshot })).toMatchObject({ _tag: 'done' })
      const receipt = receiptIn(await rig.verify('a', 'restore'))
      expect(statuses(receipt)).toMatchObject({
        process: 'restored',
        cwd: 'restored',
        env: 'restored',
        functions: 'restored',
        screen: 'restored',
        jobs: 'lost',
      })
      expect(receipt.items.jobs.detail).toContain('what it left behind its host does not show')
      expect(await session.exec('cd /')).toEqual({ _tag: 'finished', exitCode: 0 })
    })
  }

  const silent: readonly (readonly [string, string, readonly string[], Traits])[] = [
    ['a shell without marks', 'dash', [], traits],
    ['a REPL', 'python3', ['-q'], { ...traits, shell: false, rerunnable: true }],
  ]
  for (const [what, command, args, ofIt] of silent) {
    needing(command)(`(${command}) ${what} lives, dies and is started again`, async () => {
      const session = await rig.open('a', { command, args })
      await eventually('its prompt', () => session.output() !== '' || undefined, slowMs)
      expect(session.shows()).toEqual(showingOf({}))
      const idle = await rig.capture('a')
      expect(idle.foreground.kind).toBe('unknown')
      expect(misdeclared(session.shows(), { idle })).toEqual([])
      const snapshot = await rig.snapshot('a')
      await kill()
      const again = { snapshot, traits: ofIt }
      expect(await rig.run('a', 'restore', again)).toMatchObject({ _tag: 'done' })
      const receipt = receiptIn(await rig.verify('a', 'restore', { traits: ofIt }))
      const called = Object.entries(statuses(receipt)).flatMap(([name, status]) =>
        status === 'restored' ? [name] : [],
      )
      expect(called).toEqual(['process', 'screen'])
      expect(unshown(session.shows())).toContain('directory')
    })
  }
})
