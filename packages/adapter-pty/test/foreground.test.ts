/** What stands in the foreground of a real terminal, told from the kernel and the marks alone. */
import {
  defaultPolicy,
  type ForegroundKind,
  firedTrigger,
  stuckFailure,
} from '@session-recovery/core'
import { afterEach, describe, expect, it } from 'vitest'
import { commandLineOf, processesWhere } from '../src/process.js'
import { eventually, foreground, has, type Rig, rigOf, traits } from './rig.js'

let rig: Rig
afterEach(() => rig.close())

type Case = readonly [name: string, line: string, kind: ForegroundKind]

const fullScreen: readonly Case[] = [
  ...(has('vim') ? [['vim', 'vim -u NONE', 'full-screen'] as const] : []),
  ...(has('less') ? [['less', 'less /etc/passwd', 'pager'] as const] : []),
  ['the alternate screen', "printf '\\e[?1049h'; sleep 60", 'full-screen'],
]

it('has the programs to look at', () => {
  rig = rigOf()
  // Elsewhere the cases without their program are left out.
  if (process.env.CI === 'true')
    expect(['vim', 'less', 'stty'].filter((one) => !has(one))).toEqual([])
  expect(has('stty')).toBe(true)
})

describe('the foreground', () => {
  it.each<Case>([
    ['read -p', 'read -p "name? " x', 'waiting-for-line'],
    ['cat', 'cat', 'waiting-for-line'],
    ['a script that reads', `bash -c 'read -p "sure? " x; echo done'`, 'waiting-for-line'],
    ['a child that reads', `bash -c 'cat >/dev/null; echo done'`, 'waiting-for-line'],
    ['a pipeline that reads', 'cat | sort', 'waiting-for-line'],
    ['select', 'select x in a b; do break; done', 'waiting-for-line'],
    ['read -s', 'read -s -p "Password: " x', 'waiting-for-password'],
    ['a script that reads a password', `bash -c 'read -s x'`, 'waiting-for-password'],
    ['sleep', 'sleep 60', 'running'],
    ['a loop', 'while :; do :; done', 'running'],
    ['output that looks like a prompt', `printf 'user@host:~$ '; sleep 60`, 'running'],
    ['a pipe that is silent', 'sleep 60 | cat', 'running'],
    ['a child shell', 'bash --norc', 'unknown'],
    ...fullScreen,
  ])('%s', async (_, line, kind) => {
    rig = rigOf()
    const session = await rig.open('a')
    session.write(`${line}\r`)
    await foreground(rig, 'a', kind)
    const { update } = await rig.capture('a')
    expect(update.interactiveState?.pendingCommands).toEqual([line])
  })

  it('of a shell that was stopped is stopped, whatever runs in it', async () => {
    rig = rigOf()
    for (const [id, line] of [
      ['idle', ''],
      ['busy', 'sleep 60'],
    ] as const) {
      const session = await rig.open(id)
      session.write(`${line}\r`)
      await foreground(rig, id, line === '' ? 'at-prompt' : 'running')
      process.kill(session.pid() ?? 0, 'SIGSTOP')
      await foreground(rig, id, 'stopped')
    }
  })

  it('of a script whose child was stopped is stopped', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    session.write(`bash -c 'sleep 61; echo'\r`)
    const { pid } = await eventually('the child', () =>
      processesWhere(({ pid: one }) => commandLineOf(one) === 'sleep 61').find(
        ({ session: leader }) => leader === session.pid(),
      ),
    )
    process.kill(pid, 'SIGSTOP')
    await foreground(rig, 'a', 'stopped')
  })

  it('is the prompt again when a full-screen program was killed and left its screen behind', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    await session.exec(String.raw`bash -c "printf '\e[?1049h'; kill -9 \$\$"`)
    await foreground(rig, 'a', 'at-prompt')
    expect(await rig.verify('a')).toMatchObject({ _tag: 'alive' })
    session.write('cat\r')
    await foreground(rig, 'a', 'waiting-for-line')
  })
})

describe('the trigger rules', () => {
  const thresholds = defaultPolicy.triggers
  const stuckAt = async (id: string, afterMs: number) => {
    const { update, foreground: seen } = await rig.capture(id)
    const state = update.interactiveState
    if (state === undefined) throw new Error('no interactive state')
    return stuckFailure(state, seen, traits, Date.now() + afterMs, thresholds)?.trigger
  }

  it('never fire on a shell idle at its prompt, nor on a silent command', async () => {
    rig = rigOf()
    const session = await rig.open('a', { expectedMs: 10 })
    expect(await stuckAt('a', 1e9)).toBeUndefined()
    session.write('sleep 60\r')
    await foreground(rig, 'a', 'running')
    expect(await stuckAt('a', 1e9)).toBeUndefined()
  })

  it('count a program that waits since it has been waiting, not since the prompt before it', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    session.write('cat\r')
    await foreground(rig, 'a', 'waiting-for-line')
    expect(await stuckAt('a', 30_000)).toBeUndefined()
    expect(await stuckAt('a', 46_000)).toBe('pending-commands')
    expect(await stuckAt('a', 61_000)).toBe('stuck-prompt')
  })

  it('leave a command alone until its expected end', async () => {
    rig = rigOf()
    const session = await rig.open('a', { expectedMs: 600_000 })
    session.write('cat\r')
    await foreground(rig, 'a', 'waiting-for-line')
    expect(await stuckAt('a', 590_000)).toBeUndefined()
    const { update } = await rig.capture('a')
    expect(update.interactiveState?.sessionUnresponsive).toBe(false)
    expect(update.interactiveState?.runningSince?.getTime()).toBeLessThanOrEqual(Date.now())
    expect(await stuckAt('a', 650_000)).toBe('pending-commands')
  })

  it('call a late command that waits, and a stopped shell, unresponsive', async () => {
    rig = rigOf()
    const late = await rig.open('late', { expectedMs: 1 })
    late.write('cat\r')
    await foreground(rig, 'late', 'waiting-for-line')
    const stopped = await rig.open('stopped')
    process.kill(stopped.pid() ?? 0, 'SIGSTOP')
    await foreground(rig, 'stopped', 'stopped')
    for (const id of ['late', 'stopped']) {
      await eventually(`${id} is unresponsive`, async () => {
        const state = (await rig.capture(id)).update.interactiveState
        if (state === undefined) return undefined
        return firedTrigger(state, Date.now() + 31_000, thresholds) === 'unresponsive' || undefined
      })
      expect(await stuckAt(id, 31_000)).toBe('unresponsive')
    }
  })
})
