/**
 * What is declared to be shown of a session is what is shown of it: every shell, and programs that are
 * none, on this machine as it is.
 */
import { showingOf } from '@session-recovery/core'
import { misdeclared } from '@session-recovery/testkit'
import { afterEach, expect, test } from 'vitest'
import { needing, quieten } from './dialect.js'
import { eventually, type Rig, rigOf } from './rig.js'

let rig: Rig
afterEach(() => rig.close())

const byMark = {
  prompt: 'mark',
  commands: 'mark',
  exitCodes: 'mark',
  directory: 'mark',
  environment: 'mark',
  shellState: 'mark',
  history: 'mark',
} as const
const byKernel = {
  identity: 'kernel',
  foreground: 'kernel',
  waiting: 'kernel',
  terminalFlags: 'kernel',
  leftover: 'kernel',
} as const
const whole = showingOf({ ...byKernel, ...byMark })
const bare = showingOf({ ...byKernel, directory: 'kernel', environment: 'kernel' })

const agreeing = async (read: string | undefined): Promise<void> => {
  const session = rig.driver.session('a')
  const idle = await rig.capture('a')
  if (read !== undefined) session?.write(`${read}\r`)
  const showing = rig.driver.showing?.('a') ?? showingOf({})
  expect(session?.shows()).toEqual(showing)
  let wrong: readonly string[] = []
  await eventually(
    'a declaration that is true',
    async () => {
      const busy = read === undefined ? {} : { busy: await rig.capture('a') }
      wrong = misdeclared(showing, { idle, ...busy })
      return wrong.length === 0 ? true : undefined
    },
    20_000,
  ).catch((late) => {
    throw new Error(`${String(late)}: ${wrong.join('; ')}`)
  })
}

for (const shell of ['bash', 'zsh', 'fish']) {
  needing(shell)(`${shell} shows by its marks what the kernel does not`, async () => {
    rig = rigOf({ promptTimeoutMs: 60_000 })
    quieten(rig.home)
    const session = await rig.open('a', { command: shell })
    expect(await session.exec('true')).toEqual({ _tag: 'finished', exitCode: 0 })
    expect(session.shows()).toEqual(whole)
    expect(rig.driver.supports.shows).toEqual(whole)
    expect(session.identity()?.startTicks).toBeGreaterThan(0)
    await agreeing('cat')
  })
}

needing('dash')('dash shows what the kernel shows of it', async () => {
  rig = rigOf()
  const session = await rig.open('a', { command: 'dash' })
  session.write('true\r')
  expect(session.shows()).toEqual(bare)
  await agreeing('cat')
})

needing('python3')('a REPL shows what the kernel shows of it', async () => {
  rig = rigOf()
  const session = await rig.open('a', { command: 'python3', args: ['-q'] })
  expect(session.shows()).toEqual(bare)
  await agreeing(undefined)
})

test('a shell with arguments under which it gives no marks declares none', async () => {
  rig = rigOf()
  const session = await rig.open('a', { args: ['--norc'] })
  expect(session.shows()).toEqual(bare)
  await agreeing('cat')
})

test('nothing is shown of a session that nobody knows', () => {
  rig = rigOf()
  expect(rig.driver.showing?.('nobody')).toBeUndefined()
})
