/**
 * Shells and programs that give no marks: what is not known of them is not claimed, they are never typed
 * at, and a new process of theirs is proved by the kernel.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Receipt, RecoveryStrategy, Traits, Verdict } from '@session-recovery/core'
import { afterEach, describe, expect } from 'vitest'
import type { PtySession } from '../src/index.js'
import { needing } from './dialect.js'
import { died, eventually, type Rig, rigOf, settledOutput, traits } from './rig.js'

let rig: Rig
afterEach(() => rig.close())

const receiptIn = (verdict: Verdict): Receipt => {
  if (verdict._tag !== 'alive') throw new Error(`unproved: ${verdict.detail}`)
  return verdict.receipt
}
const statuses = ({ items }: Receipt) =>
  Object.fromEntries(Object.entries(items).map(([name, { status }]) => [name, status]))

const kill = async (session: PtySession): Promise<void> => {
  process.kill(session.pid() ?? 0, 'SIGKILL')
  await died(rig, session.id)
}

const typing: readonly RecoveryStrategy[] = [
  'prompt-interrupt',
  'prompt-reset',
  'session-refresh',
  'command-retry',
]
const honest = expect.stringMatching(/^(not-applicable|failed)$/)

describe('dash', () => {
  const it = needing('dash')
  const open = () => rig.open('a', { command: 'dash', env: { ...rig.env, PS1: 'dash> ', A: '1' } })

  it('does not tell how a command ended', async () => {
    rig = rigOf()
    const session = await open()
    expect(await session.exec('true')).toEqual({
      _tag: 'lost',
      detail: 'the program gives no marks',
    })
    const { foreground, update } = await rig.capture('a')
    expect(foreground.kind).toBe('unknown')
    expect(update).toMatchObject({ workingDirectory: rig.home, commandHistory: [] })
    expect(update.environment).toBeUndefined()
    expect(update.shell).toBeUndefined()
  })

  it('that is killed is started again, proved by the kernel, and what is unknown is said', async () => {
    rig = rigOf()
    const session = await open()
    session.write('cd /usr; export B=2; echo rea""dy\r')
    await eventually('the directory', () => session.output().includes('ready') || undefined)
    const before = session.identity()
    const snapshot = await rig.snapshot('a')
    await kill(session)
    for (const strategy of ['restart', 'restore'] as const) {
      expect(await rig.run('a', strategy, { snapshot })).toMatchObject({ _tag: 'done' })
      const receipt = receiptIn(await rig.verify('a', strategy))
      expect(receipt.evidence).toMatchObject([
        { source: 'kernel', grade: 'observed', detail: expect.stringContaining('runs as process') },
      ])
      expect(session.identity()).not.toEqual(before)
      expect(statuses(receipt)).toMatchObject({
        process: 'restored',
        cwd: 'restored',
        env: 'unknown',
        shellVariables: 'unknown',
        functions: 'unknown',
        history: 'unknown',
        jobs: 'lost',
      })
      expect(receipt.items.jobs.detail).toBe('what ran in it nobody told')
      expect(receipt.items.env.detail).toContain('what was exported in it nobody told')
    }
    session.write('echo "$PWD $A <$B>"\r')
    await eventually('what it holds', () => session.output().includes('/usr 1 <>') || undefined)
  })

  it('is looked at by the kernel alone', async () => {
    rig = rigOf()
    const session = await open()
    const before = await settledOutput(session)
    expect(receiptIn(await rig.verify('a')).evidence).toMatchObject([
      { source: 'kernel' },
      { source: 'kernel' },
    ])
    expect(await settledOutput(session)).toBe(before)
    process.kill(session.pid() ?? 0, 'SIGSTOP')
    await eventually('that it is stopped', async () => {
      const { foreground } = await rig.capture('a')
      return foreground.kind === 'stopped' || undefined
    })
    expect(await rig.verify('a')).toMatchObject({ _tag: 'unproved' })
    expect(await rig.run('a', 'prompt-interrupt')).toMatchObject({ _tag: 'failed' })
    expect(await rig.verify('a', 'prompt-interrupt')).toMatchObject({ _tag: 'unproved' })
  })

  it('is never typed at, and no strategy that asks it is called done', async () => {
    rig = rigOf()
    const log = join(rig.home, 'typed')
    const session = await open()
    session.write(`stty raw -echo; exec cat > ${log}\r`)
    await eventually('the program', () => existsSync(log) || undefined)
    const snapshot = await rig.snapshot('a')
    for (const strategy of typing) {
      expect(await rig.run('a', strategy, { snapshot })).toMatchObject({ _tag: honest })
      expect(await rig.verify('a', strategy)).toMatchObject({ _tag: 'unproved' })
    }
    expect(readFileSync(log, 'utf8')).toBe('')
    expect(await rig.run('a', 'reconnect')).toMatchObject({ _tag: 'not-applicable' })
    expect(await rig.run('a', 'migrate', { snapshot })).toMatchObject({ _tag: 'not-applicable' })
  })

  it('has its end noticed, and is replicated with what is known of it', async () => {
    rig = rigOf()
    const session = await open()
    session.write('cd /usr; echo rea""dy\r')
    await eventually('the directory', () => session.output().includes('ready') || undefined)
    const snapshot = await rig.snapshot('a')
    const request = { snapshot, replicaId: 'b' }
    expect(await rig.run('a', 'replicate', request)).toMatchObject({ _tag: 'done' })
    expect(statuses(receiptIn(await rig.verify('a', 'replicate')))).toMatchObject({
      process: 'restored',
      cwd: 'restored',
      env: 'unknown',
    })
    rig.driver.session('b')?.write('exit 7\r')
    await eventually('its end', () =>
      rig.observed.find((seen) => seen._tag === 'exited' && seen.exit.exitCode === 7),
    )
  })
})

describe('a program that is no shell', () => {
  const command: Traits = { ...traits, shell: false }
  const rerunnable: Traits = { ...command, rerunnable: true }

  needing('python3')('(python3) is started again only if it was declared rerunnable', async () => {
    rig = rigOf()
    // What stands first in the path may be a script that starts another in an environment of its own.
    const tell = ['-c', 'import sys; print(sys.executable)']
    const python = execFileSync('python3', tell, { encoding: 'utf8' }).trim()
    const session = await rig.open('a', { command: python, args: ['-q'] })
    session.write('print(6 * 7)\r')
    await eventually('its answer', () => session.output().includes('42') || undefined)
    const snapshot = await rig.snapshot('a')
    for (const strategy of typing) {
      const outcome = await rig.run('a', strategy, { snapshot, traits: command })
      expect(outcome).toMatchObject({ _tag: honest })
      expect(await rig.verify('a', strategy)).toMatchObject({ _tag: 'unproved' })
    }
    expect(session.output().match(/>>> /g)).toHaveLength(2)
    const before = session.identity()
    await kill(session)
    for (const strategy of ['restart', 'restore'] as const) {
      expect(await rig.run('a', strategy, { snapshot, traits: command })).toMatchObject({
        _tag: 'not-applicable',
        detail: `${python} is no shell and was not declared rerunnable`,
      })
    }
    expect(session.pid()).toBeUndefined()
    const again = { snapshot, traits: rerunnable }
    expect(await rig.run('a', 'restore', again)).toMatchObject({ _tag: 'done' })
    const receipt = receiptIn(await rig.verify('a', 'restore', { traits: rerunnable }))
    expect(receipt.evidence).toMatchObject([{ source: 'kernel', grade: 'observed' }])
    expect(statuses(receipt)).toMatchObject({
      process: 'restored',
      cwd: 'restored',
      env: 'restored',
      shellVariables: 'unknown',
      history: 'unknown',
      screen: 'restored',
    })
    expect(session.identity()).not.toEqual(before)
    session.write('print(6 * 8)\r')
    await eventually('its answer', () => session.output().includes('48') || undefined)
  })

  needing('less')('(a pager) is let be', async () => {
    rig = rigOf()
    writeFileSync(join(rig.home, 'text'), 'line\n'.repeat(500))
    const session = await rig.open('a', { command: 'less', args: ['text'] })
    await eventually('its screen', () => session.output().includes('text') || undefined)
    const before = await settledOutput(session)
    for (const strategy of typing) {
      expect(await rig.run('a', strategy, { traits: command })).toMatchObject({ _tag: honest })
    }
    expect(await settledOutput(session)).toBe(before)
    expect(receiptIn(await rig.verify('a', undefined, { traits: command })).grade).toBe('observed')
  })
})
