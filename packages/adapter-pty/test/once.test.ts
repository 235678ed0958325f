/**
 * No command is run twice unless it was declared idempotent: what nobody saw finishing is named until the
 * app settles it, and what was typed ahead or half is not sent to another shell.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  defaultPolicy,
  type Policy,
  type Receipt,
  type RecoveryStrategy,
  type Traits,
  type Verdict,
} from '@session-recovery/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PtySession } from '../src/index.js'
import { died, eventually, foreground, type Rig, rigOf, traits } from './rig.js'

let rig: Rig
let log: string
beforeEach(() => {
  rig = rigOf()
  log = join(rig.home, 'log')
  writeFileSync(log, '')
})
afterEach(() => rig.close())

const written = (): string => readFileSync(log, 'utf8')

const receiptIn = (verdict: Verdict): Receipt => {
  if (verdict._tag !== 'alive') throw new Error(`unproved: ${verdict.detail}`)
  return verdict.receipt
}

const kill = async (session: PtySession): Promise<void> => {
  process.kill(session.pid() ?? 0, 'SIGKILL')
  await died(rig, session.id)
}

const entered = async (session: PtySession, line: string): Promise<string> => {
  session.write(`${line}\r`)
  await died(rig, session.id)
  return line
}

const starting: readonly RecoveryStrategy[] = ['restart', 'restore', 'session-refresh']

// A second death of the same session, with nothing running.
const again = async (session: PtySession): Promise<void> => {
  rig.observed.splice(0)
  await kill(session)
}

const declared = (...idempotentCommands: string[]): Traits => ({ ...traits, idempotentCommands })

describe('a command of unknown outcome', () => {
  const interrupted = async (
    session: PtySession,
    line: string,
    isUnderWay = () => true,
  ): Promise<void> => {
    session.write(`${line}\r`)
    await foreground(rig, session.id, 'running')
    await eventually(`${line} is under way`, () => isUnderWay() || undefined, 20_000)
    await again(session)
  }

  it('stays named, in receipts and captures, until the app settles it', async () => {
    const session = await rig.open('a')
    const lines = [1, 2, 1].map((n) => `sleep 60; echo ${n} >> ${log}`)
    for (const line of lines) {
      await interrupted(session, line)
      await rig.run('a', 'restore', { snapshot: await rig.snapshot('a') })
    }
    const pending = async () => (await rig.capture('a')).update.interactiveState
    expect(await pending()).toMatchObject({ pendingCommands: [], unknownCommands: lines })
    expect(session.settle(lines[0] ?? '')).toBe(true)
    expect(await pending()).toMatchObject({ unknownCommands: lines.slice(1) })
    const snapshot = await rig.snapshot('a')
    await again(session)
    await rig.run('a', 'restart', { snapshot })
    const { jobs } = receiptIn(await rig.verify('a', 'restart')).items
    expect(jobs.unknownCommands).toEqual(lines.slice(1))
    for (const line of lines.slice(1)) expect(session.settle(line)).toBe(true)
    expect(session.settle(lines[0] ?? '')).toBe(false)
    expect(await pending()).not.toHaveProperty('unknownCommands')
  })

  it('is named by a driver that learns of it from the snapshot alone', async () => {
    const line = `echo once >> ${log}; sleep 60`
    const session = await rig.open('a')
    session.write(`${line}\r`)
    await foreground(rig, 'a', 'running')
    const snapshot = {
      ...(await rig.snapshot('a')),
      sessionOptions: { command: 'bash', env: rig.env },
    }
    await rig.driver.close()
    const second = rigOf()
    try {
      await second.run('a', 'restore', { snapshot })
      const { jobs } = receiptIn(await second.verify('a', 'restore')).items
      expect(jobs.unknownCommands).toEqual([line])
      expect(second.driver.session('a')?.unknownCommands()).toEqual([line])
      expect(written()).toBe('once\n')
    } finally {
      await second.close()
    }
  })

  it('is run again when it was declared idempotent, and no other; its exit code proves it', async () => {
    const session = await rig.open('a')
    const safe = `echo safe >> ${log}; [ -e ${rig.home}/go ] || sleep 60`
    const unsafe = `echo unsafe >> ${log}; sleep 60`
    for (const line of [safe, unsafe]) {
      await interrupted(session, line)
      await rig.run('a', 'restore', { snapshot: await rig.snapshot('a') })
    }
    writeFileSync(join(rig.home, 'go'), '')
    const outcome = await rig.run('a', 'command-retry', { traits: declared(safe) })
    expect(outcome).toEqual({
      _tag: 'done',
      detail: `${safe}: code 0 at try 1; not declared idempotent, not run: ${unsafe}`,
    })
    const receipt = receiptIn(await rig.verify('a', 'command-retry'))
    expect(receipt.evidence.map(({ detail }) => detail)).toContain(
      `${safe}: ended with code 0, try 1`,
    )
    expect(receipt.items.jobs.unknownCommands).toEqual([unsafe])
    expect(written()).toBe('safe\nunsafe\nsafe\n')
    expect(session.unknownCommands()).toEqual([unsafe])
  })

  it('is run again when the policy declares it, in a shell restored for it, until it ends with code 0', async () => {
    const session = await rig.open('a')
    await session.exec('cd /usr; export MINE=1')
    const line = `echo $PWD$MINE >> ${log}; case $(wc -l < ${log}) in 1) sleep 60;; 2) false;; esac`
    await interrupted(session, line, () => written() !== '')
    const snapshot = await rig.snapshot('a')
    const outcome = await rig.run('a', 'command-retry', { snapshot, policy: retrying({}, line) })
    expect(outcome).toEqual({ _tag: 'done', detail: `${line}: code 0 at try 2` })
    expect(written()).toBe('/usr1\n'.repeat(3))
    expect(session.unknownCommands()).toEqual([])
    expect(receiptIn(await rig.verify('a', 'command-retry')).evidence).toHaveLength(2)
  })

  it('that does not end in time is ended, and run as often as the policy says', async () => {
    const session = await rig.open('a')
    const line = `echo x >> ${log}; sleep 60`
    await interrupted(session, line)
    const snapshot = await rig.snapshot('a')
    const policy = retrying({ timeoutPerCommandMs: 200, maxRetries: 2 }, line)
    expect(await rig.run('a', 'command-retry', { snapshot, policy })).toEqual({
      _tag: 'failed',
      detail: `${line}: did not end in time`,
    })
    expect(written()).toBe('x\n'.repeat(3))
    expect(session.unknownCommands()).toEqual([line])
    expect(await session.exec('true')).toMatchObject({ exitCode: 0 })
  })

  it('that takes its shell with it is not run once more', async () => {
    const session = await rig.open('a')
    const line = `echo x >> ${log}; kill -9 $$`
    await entered(session, line)
    const snapshot = await rig.snapshot('a')
    const policy = retrying({ maxRetries: 3 }, line)
    expect(await rig.run('a', 'command-retry', { snapshot, policy })).toMatchObject({
      _tag: 'failed',
    })
    expect(written()).toBe('x\n'.repeat(2))
    await rig.run('a', 'restore', { snapshot })
    expect(session.unknownCommands()).toEqual([line])
  })

  it('is not run again where the policy allows no retry', async () => {
    const session = await rig.open('a')
    const line = `echo x >> ${log}; kill -9 $$`
    await entered(session, line)
    const snapshot = await rig.snapshot('a')
    const policy = retrying({ maxRetries: 0 }, line)
    expect(await rig.run('a', 'command-retry', { snapshot, policy })).toMatchObject({
      _tag: 'not-applicable',
    })
    expect(written()).toBe('x\n')
    expect(session.pid()).toBeUndefined()
  })
})

const retrying = (more: Partial<Policy['commandRetry']>, line: string): Policy => ({
  ...defaultPolicy,
  commandRetry: {
    ...defaultPolicy.commandRetry,
    baseDelayMs: 1,
    idempotentCommands: [line],
    ...more,
  },
})

describe('input typed ahead', () => {
  it('is not sent to the shell that takes the place of the one that died', async () => {
    const session = await rig.open('a')
    session.write('sleep 60\r')
    await foreground(rig, 'a', 'running')
    session.write(`echo ahead >> ${log}\r`)
    const snapshot = await rig.snapshot('a')
    await kill(session)
    for (const strategy of starting) {
      await rig.run('a', strategy, { snapshot })
      expect(await rig.verify('a', strategy)).toMatchObject({ _tag: 'alive' })
      expect(await session.exec('true')).toMatchObject({ exitCode: 0 })
      expect(written()).toBe('')
      expect(session.write(`echo after >> ${log}\r`)).toBe(true)
      await eventually('what is typed now', () => written().includes('after') || undefined)
      writeFileSync(log, '')
      await again(session)
    }
  })

  it('at the prompt is set aside by prompt-reset and named; neither it nor a part of it runs', async () => {
    const session = await rig.open('a')
    const half = `echo half >> ${log}`
    session.write(half)
    await eventually('its echo', () => session.output().includes('echo half') || undefined)
    expect(await rig.run('a', 'prompt-reset')).toMatchObject({ _tag: 'done' })
    const receipt = receiptIn(await rig.verify('a', 'prompt-reset'))
    expect(receipt.items.jobs.setAside).toEqual([half])
    session.write('\r')
    expect(await session.exec(`echo own >> ${log}`)).toMatchObject({ exitCode: 0 })
    expect(written()).toBe('own\n')
    expect(session.setAside()).toEqual([half])
  })

  it('at the prompt stays there when the session is merely verified', async () => {
    const session = await rig.open('a')
    session.write(`echo half >> ${log}`)
    await eventually('its echo', () => session.output().includes('echo half') || undefined)
    expect(await rig.verify('a')).toMatchObject({ _tag: 'alive' })
    expect(written()).toBe('')
    session.write('\r')
    await eventually('its line', () => written() === 'half\n' || undefined)
  })
})
