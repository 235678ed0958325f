/** Shells that died are brought back, and the receipt says what is true. */
import { copyFileSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  defaultPolicy,
  type Receipt,
  redact,
  redactedText,
  referencesIn,
  type Verdict,
  withSecrets,
} from '@session-recovery/core'
import { afterEach, describe, expect, it } from 'vitest'
import type { PtySession } from '../src/index.js'
import {
  bash,
  died,
  eventually,
  foreground,
  processesNaming,
  type Rig,
  rigOf,
  traits,
} from './rig.js'

let rig: Rig
afterEach(() => rig.close())

const receiptIn = (verdict: Verdict): Receipt => {
  if (verdict._tag !== 'alive') throw new Error(`unproved: ${verdict.detail}`)
  return verdict.receipt
}
const statuses = ({ items }: Receipt) =>
  Object.fromEntries(Object.entries(items).map(([name, { status }]) => [name, status]))

const kill = async (session: PtySession): Promise<number> => {
  const pid = session.pid() ?? 0
  process.kill(pid, 'SIGKILL')
  await died(rig, session.id)
  return pid
}

describe('restore', () => {
  it('brings directory, environment, history and screen back, each compared', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    await session.exec('cd /usr; export A="1 2" B=$(printf "x\\ny"); echo "on the screen"')
    const before = session.identity()
    const snapshot = await rig.snapshot('a')
    const pid = await kill(session)
    expect(await rig.run('a', 'restore', { snapshot })).toMatchObject({ _tag: 'done' })
    const receipt = receiptIn(await rig.verify('a', 'restore'))
    expect(statuses(receipt)).toMatchObject({
      process: 'restored',
      cwd: 'restored',
      env: 'restored',
      shellVariables: 'restored',
      functions: 'restored',
      history: 'restored',
      screen: 'restored',
      jobs: 'lost',
    })
    expect(receipt.grade).toBe('observed')
    expect(receipt.evidence).toMatchObject([{ source: 'mark', grade: 'observed', trusted: true }])
    expect(receipt.restoredBytes).toBeGreaterThan(50)
    expect(session.pid()).not.toBe(pid)
    expect(session.identity()?.startTicks).toBeGreaterThanOrEqual(before?.startTicks ?? 0)
    expect(await session.screen()).toContain('on the screen')
    await session.exec('[[ $PWD == /usr && $A == "1 2" && $B == x$\'\\n\'y ]] && echo all-there')
    expect(await session.screen()).toContain('all-there')
    await session.exec('history')
    expect(session.output()).toMatch(/\d+ {2}cd \/usr; export A/)
  })

  it('puts no line back whose secret was taken out, and says so', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    const snapshot = await rig.snapshot('a')
    await kill(session)
    const commandHistory = ['echo one', `export TOKEN=${redactedText}`, 'echo two']
    await rig.run('a', 'restore', { snapshot: { ...snapshot, commandHistory } })
    const { items } = receiptIn(await rig.verify('a', 'restore'))
    expect(items.history).toEqual({
      status: 'restored',
      detail: '2 lines compared equal; left out for their secrets: 1',
    })
    await session.exec('history')
    expect(session.output()).toContain('echo two')
    expect(session.output()).not.toContain('TOKEN=')
  })

  it('shows the screen without typing an answer into the shell', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    const modes = String.raw`printf '\e[?1000h\e[?2004h\e[?1h\e[?25l\e]8;;http://127.0.0.1/\aa link\e]8;;\a\n'`
    await session.exec(modes)
    const queries = String.raw`printf '\e[c\e[6n\e]0;title\a\e[>c\e]52;c;aGk=\a\eP+q544e\e\\kept'`
    await session.exec(queries)
    const heard: string[] = []
    session.onData((text) => heard.push(text))
    const snapshot = await rig.snapshot('a')
    await kill(session)
    await rig.run('a', 'restore', { snapshot })
    expect(statuses(receiptIn(await rig.verify('a', 'restore')))).toMatchObject({
      screen: 'restored',
    })
    expect(heard.join('')).toContain('kept')
    for (const query of ['\x1b[c', '\x1b[6n', '\x1b]', '\x1b[>c', '\x1bP', '\x1b[?']) {
      expect(heard[0]).not.toContain(query)
    }
    expect(heard[0]).toContain('a link')
  })

  it('brings nothing back that can run code, and says so', async () => {
    rig = rigOf()
    const proof = join(rig.home, 'proof')
    const session = await rig.open('a', { env: { ...rig.env, NODE_OPTIONS: '--no-warnings' } })
    const snapshot = await rig.snapshot('a')
    await kill(session)
    const environment = {
      ...snapshot.environment,
      GOOD: '1',
      LD_PRELOAD: '/nowhere.so',
      PROMPT_COMMAND: `touch ${proof}`,
      BASH_ENV: proof,
      NODE_OPTIONS: '--require /nowhere.js',
      'BASH_FUNC_ls%%': '() { false; }',
    }
    await rig.run('a', 'restore', { snapshot: { ...snapshot, environment } })
    const { env } = receiptIn(await rig.verify('a', 'restore')).items
    expect(env.status).toBe('restored')
    for (const name of [
      'LD_PRELOAD',
      'PROMPT_COMMAND',
      'BASH_ENV',
      'NODE_OPTIONS',
      'BASH_FUNC_ls%%',
    ]) {
      expect(env.detail).toContain(name)
    }
    const now = (await rig.capture('a')).update.environment
    expect(now).toMatchObject({ GOOD: '1', NODE_OPTIONS: '--no-warnings' })
    expect(now).not.toHaveProperty('LD_PRELOAD')
    expect(() => readFileSync(proof)).toThrow()
  })

  it('lets the snapshot win over the start-up file of today', async () => {
    rig = rigOf()
    const startUp = join(rig.home, '.bashrc')
    writeFileSync(startUp, 'export PATH="/added:$PATH" MODE=startup')
    const session = await rig.open('a')
    await session.exec('export MODE=mine; unset HISTFILE')
    const snapshot = await rig.snapshot('a')
    await kill(session)
    writeFileSync(startUp, 'export PATH="/added:$PATH" MODE=startup EXTRA=new')
    await rig.run('a', 'restore', { snapshot })
    const { env } = receiptIn(await rig.verify('a', 'restore')).items
    expect(env).toMatchObject({ status: 'restored' })
    expect(env.detail).toContain('EXTRA')
    const { environment } = (await rig.capture('a')).update
    expect(environment).toMatchObject({ MODE: 'mine', PATH: snapshot.environment.PATH })
    expect(environment).not.toHaveProperty('HISTFILE')
  })

  it('puts the value of today in the place of a secret that nobody has, and says so', async () => {
    rig = rigOf()
    const session = await rig.open('a', { env: { ...rig.env, TOKEN: 'of today' } })
    await session.exec('export TOKEN=mine OTHER_TOKEN=mine')
    const { snapshot } = redact(await rig.snapshot('a'), [])
    await kill(session)
    const lostSecrets = referencesIn(snapshot)
    expect(lostSecrets).toHaveLength(2)
    await rig.run('a', 'restore', { snapshot: withSecrets(snapshot, new Map()), lostSecrets })
    const { env } = receiptIn(await rig.verify('a', 'restore')).items
    expect(env).toMatchObject({ status: 'lost' })
    expect(env.detail).toContain('2 whose secret nobody has: ')
    const { environment } = (await rig.capture('a')).update
    expect(environment).toMatchObject({ TOKEN: 'of today' })
    expect(environment).not.toHaveProperty('OTHER_TOKEN')
  })

  it('says what is lost', async () => {
    rig = rigOf()
    writeFileSync(join(rig.home, '.bashrc'), 'readonly FIXED=today; HISTSIZE=2')
    const session = await rig.open('a')
    await session.exec(`mkdir ${rig.home}/gone; cd ${rig.home}/gone; sleep 60 & nohup sleep 61 &`)
    session.write('cat\r')
    await foreground(rig, 'a', 'waiting-for-line')
    const snapshot = await rig.snapshot('a')
    await kill(session)
    rmSync(join(rig.home, 'gone'), { recursive: true })
    await rig.run('a', 'restore', {
      snapshot: {
        ...snapshot,
        environment: { ...snapshot.environment, FIXED: 'mine' },
        commandHistory: ['one', 'two', 'three'],
      },
    })
    const { items } = receiptIn(await rig.verify('a', 'restore'))
    expect(items.cwd).toEqual({
      status: 'lost',
      detail: `the process is in ${rig.home}, not in ${join(rig.home, 'gone')}`,
    })
    expect(items.env).toMatchObject({ status: 'lost' })
    expect(items.env.detail).toContain('1 other than before: FIXED')
    expect(items.history).toMatchObject({ status: 'lost' })
    expect(items.jobs.detail).toMatch(/unknown, they are not run again: cat;/)
    expect(items.jobs.detail).toMatch(/ended: sleep 60 \(\d+\)/)
    const letBe = /running on .*: sleep 61 \((\d+)\)/.exec(items.jobs.detail)
    process.kill(Number(letBe?.[1]), 'SIGKILL')
  })
})

describe('restart', () => {
  it('brings directory and environment back, and says that the rest is lost', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    await session.exec('cd /usr; export A=1')
    const snapshot = await rig.snapshot('a')
    await kill(session)
    expect(await rig.run('a', 'restart', { snapshot })).toMatchObject({ _tag: 'done' })
    expect(statuses(receiptIn(await rig.verify('a', 'restart')))).toMatchObject({
      process: 'restored',
      cwd: 'restored',
      env: 'restored',
      history: 'lost',
      screen: 'lost',
    })
  })

  it('fails with the reason while the shell is not there, and works once it is back', async () => {
    rig = rigOf()
    const shell = join(rig.home, 'bash')
    copyFileSync(bash, shell)
    const session = await rig.open('a', { command: shell })
    await session.exec('export A=1; cd /usr')
    const snapshot = await rig.snapshot('a')
    await kill(session)
    rmSync(shell)
    const refused = await rig.run('a', 'restore', { snapshot })
    expect(refused).toEqual({ _tag: 'failed', detail: `${shell}: no such program` })
    expect(await rig.verify('a', 'restore')).toMatchObject({ _tag: 'unproved' })
    symlinkSync('/bin/false', shell)
    expect(await rig.run('a', 'restart', { snapshot })).toMatchObject({
      _tag: 'failed',
      detail: `${shell}: ended (code 1) before its first proof of life`,
    })
    expect(rig.observed.filter(({ _tag }) => _tag === 'exited')).toHaveLength(1)
    rmSync(shell)
    copyFileSync(bash, shell)
    expect(await rig.run('a', 'restore', { snapshot })).toMatchObject({ _tag: 'done' })
    expect(statuses(receiptIn(await rig.verify('a', 'restore')))).toMatchObject({
      env: 'restored',
      screen: 'restored',
    })
    expect((await rig.capture('a')).update).toMatchObject({
      workingDirectory: '/usr',
      environment: { A: '1' },
    })
  })

  it('starts a command that is no shell again only if it was declared rerunnable', async () => {
    rig = rigOf()
    const runs = join(rig.home, 'runs')
    const program = { command: 'sh', args: ['-c', `echo run >> ${runs}; exec sleep 60`] }
    const session = await rig.open('a', program)
    await eventually('the first run', () => (linesIn(runs) === 1 ? true : undefined))
    await kill(session)
    const command = { ...traits, shell: false }
    expect(await rig.run('a', 'restart', { traits: command })).toMatchObject({
      _tag: 'not-applicable',
    })
    expect(linesIn(runs)).toBe(1)
    const rerunnable = { ...command, rerunnable: true }
    expect(await rig.run('a', 'restart', { traits: rerunnable })).toMatchObject({ _tag: 'done' })
    expect(statuses(receiptIn(await rig.verify('a', 'restart')))).toMatchObject({
      process: 'restored',
      env: 'restored',
    })
    expect(linesIn(runs)).toBe(2)
  })

  it('of a living shell ends it and what runs in it, and runs no command twice', async () => {
    rig = rigOf()
    const log = join(rig.home, 'log')
    const session = await rig.open('a')
    session.write(`echo once >> ${log}; trap '' INT TERM; cat; sleep 60\r`)
    await foreground(rig, 'a', 'waiting-for-line')
    const pid = session.pid()
    for (const strategy of ['restart', 'restore'] as const) {
      const snapshot = await rig.snapshot('a')
      expect(await rig.run('a', strategy, { snapshot })).toMatchObject({ _tag: 'done' })
      expect(await rig.verify('a', strategy)).toMatchObject({ _tag: 'alive' })
    }
    expect(session.pid()).not.toBe(pid)
    expect(processesNaming(rig.home)).toEqual([String(session.pid())])
    expect(linesIn(log)).toBe(1)
    expect(rig.observed.filter(({ _tag }) => _tag === 'exited')).toEqual([])
  })

  it('needs nothing but the snapshot when another driver had opened the session', async () => {
    const first = rigOf()
    const opened = await first.open('a')
    await opened.exec('cd /usr; export A=1')
    const snapshot = await first.snapshot('a')
    await first.driver.close()
    rig = rigOf()
    expect(await rig.verify('a')).toMatchObject({ _tag: 'unproved' })
    const options = { command: bash, env: first.env, cwd: first.home }
    await rig.run('a', 'restore', { snapshot: { ...snapshot, sessionOptions: options } })
    const items = statuses(receiptIn(await rig.verify('a', 'restore')))
    expect(items).toMatchObject({ cwd: 'restored', env: 'restored', history: 'restored' })
    expect(await rig.driver.session('a')?.exec('[ $A = 1 ]')).toMatchObject({ exitCode: 0 })
    await first.close()
  })
})

describe('proof', () => {
  it('is not given for a process that nobody started anew, nor for one that is gone', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    expect(await rig.verify('a', 'restart')).toMatchObject({ _tag: 'unproved' })
    const snapshot = await rig.snapshot('a')
    await rig.run('a', 'restart', { snapshot })
    await kill(session)
    expect(await rig.verify('a', 'restart')).toMatchObject({ _tag: 'unproved' })
    expect(await rig.verify('a')).toMatchObject({ _tag: 'unproved' })
  })

  it('on a look needs an answer at the prompt, and no more than the kernel of a running command', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    expect(receiptIn(await rig.verify('a')).evidence).toMatchObject([{ source: 'mark' }])
    session.write('sleep 60\r')
    await foreground(rig, 'a', 'running')
    expect(receiptIn(await rig.verify('a')).evidence).toMatchObject([
      { source: 'kernel' },
      { source: 'kernel' },
    ])
    process.kill(session.pid() ?? 0, 'SIGSTOP')
    await foreground(rig, 'a', 'stopped')
    expect(await rig.verify('a')).toMatchObject({ _tag: 'unproved' })
  })

  it('is not claimed where this machine has nothing to offer', async () => {
    rig = rigOf()
    await rig.open('a')
    expect(rig.driver.supports.strategies.has('fallback')).toBe(false)
    expect(await rig.run('a', 'fallback')).toMatchObject({ _tag: 'unsupported' })
    for (const strategy of ['reconnect', 'migrate', 'command-retry'] as const) {
      expect(await rig.run('a', strategy)).toMatchObject({ _tag: 'not-applicable' })
    }
  })
})

describe('session-refresh', () => {
  it('is done when the shell answers', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    const pid = session.pid()
    expect(await rig.run('a', 'session-refresh')).toMatchObject({ _tag: 'done' })
    expect(await rig.verify('a', 'session-refresh')).toMatchObject({ _tag: 'alive' })
    expect(session.pid()).toBe(pid)
  })

  it('starts a silent shell again, or fails, as the policy says', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    const pid = session.pid() ?? 0
    process.kill(pid, 'SIGSTOP')
    const refresh = { ...defaultPolicy.refresh, fallbackToRestart: false }
    expect(
      await rig.run('a', 'session-refresh', { policy: { ...defaultPolicy, refresh } }),
    ).toMatchObject({ _tag: 'failed' })
    expect(await rig.verify('a', 'session-refresh')).toMatchObject({ _tag: 'unproved' })
    expect(await rig.run('a', 'session-refresh')).toMatchObject({ _tag: 'done' })
    expect(session.pid()).not.toBe(pid)
    expect(await rig.verify('a', 'session-refresh')).toMatchObject({ _tag: 'alive' })
  })

  it('lets a healthy command run on', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    session.write('sleep 60\r')
    await foreground(rig, 'a', 'running')
    expect(await rig.run('a', 'session-refresh')).toMatchObject({ _tag: 'failed' })
    await foreground(rig, 'a', 'running')
  })
})

const linesIn = (path: string): number => {
  try {
    return readFileSync(path, 'utf8').split('\n').length - 1
  } catch {
    return 0
  }
}
