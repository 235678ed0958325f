/** Zsh and fish are brought back as bash is, and their prompts are freed as its is. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  defaultPolicy,
  type ForegroundKind,
  type Receipt,
  type Verdict,
} from '@session-recovery/core'
import { afterEach, describe, expect } from 'vitest'
import type { PtySession } from '../src/index.js'
import { type DialectRig, dialectRig, dialects, needing } from './dialect.js'
import { died, eventually, foreground, settledOutput, traits } from './rig.js'

let rig: DialectRig
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

describe.each(dialects)('$shell', (dialect) => {
  const { shell, exports, exitsWith, isEqual } = dialect
  const it = needing(shell)

  it('is restored: directory, environment, history and screen, each compared', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    await session.exec('cd /usr')
    await session.exec(exports({ A: '1 2', B: 'x\ny', PATH: `${rig.env.PATH}::/nowhere:` }))
    await session.exec(`echo 'on the\n  screen\\\\'`)
    const snapshot = await rig.snapshot('a')
    const pid = await kill(session)
    expect(await rig.run('a', 'restore', { snapshot })).toMatchObject({ _tag: 'done' })
    const receipt = receiptIn(await rig.verify('a', 'restore'))
    expect(statuses(receipt)).toMatchObject({
      process: 'restored',
      cwd: 'restored',
      env: 'restored',
      history: 'restored',
      screen: 'restored',
      jobs: 'lost',
    })
    expect(receipt.items.history.detail).toBe('3 lines compared equal')
    expect(receipt.evidence).toMatchObject([{ source: 'mark', grade: 'observed', trusted: true }])
    expect(session.pid()).not.toBe(pid)
    expect(await session.screen()).toContain('on the')
    expect(await session.exec(isEqual('$PWD:$A', '/usr:1 2'))).toMatchObject({ exitCode: 0 })
    expect((await rig.capture('a')).update.environment).toEqual(snapshot.environment)
  })

  it('lets the snapshot win over the start-up file of today', async () => {
    rig = dialectRig(dialect)
    const startUp = exports({ MODE: 'startup', PATH: `/added:${rig.env.PATH}` })
    rig.writeStartUp(startUp)
    const session = await rig.openShell('a')
    await session.exec(exports({ MODE: 'mine' }))
    await session.exec(dialect.unset('HISTFILE'))
    const snapshot = await rig.snapshot('a')
    await kill(session)
    // Where a number stands, the text of a variable would be evaluated, and what is in it executed.
    const typed = shell === 'zsh' ? '; typeset -i TYPED=5; readonly FIXED=today' : ''
    rig.writeStartUp(`${startUp}; ${exports({ EXTRA: 'new', TYPED: '7' })}${typed}`)
    const proof = join(rig.home, 'proof')
    const TYPED = `x[$(touch ${proof})]`
    await rig.run('a', 'restore', {
      snapshot: { ...snapshot, environment: { ...snapshot.environment, TYPED, FIXED: 'mine' } },
    })
    const { env } = receiptIn(await rig.verify('a', 'restore')).items
    expect(env).toMatchObject({ status: shell === 'zsh' ? 'lost' : 'restored' })
    if (shell === 'zsh') expect(env.detail).toContain('1 other than before: FIXED')
    expect(env.detail).toContain('EXTRA')
    const { environment } = (await rig.capture('a')).update
    expect(environment).toMatchObject({ MODE: 'mine', PATH: snapshot.environment.PATH, TYPED })
    expect(environment).not.toHaveProperty('HISTFILE')
    expect(() => readFileSync(proof)).toThrow()
  })

  it('is not given by a restart what only a restore brings', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    await session.exec('cd /usr')
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

  it('is replicated, and the first is fenced', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    await session.exec(`cd /usr; ${exports({ A: '1' })}`)
    const snapshot = await rig.snapshot('a')
    const request = { snapshot, replicaId: 'b' }
    expect(await rig.run('a', 'replicate', request)).toMatchObject({ _tag: 'done' })
    expect(statuses(receiptIn(await rig.verify('a', 'replicate')))).toMatchObject({
      process: 'restored',
      cwd: 'restored',
      env: 'restored',
    })
    expect(session.write('x')).toBe(false)
    const replica = rig.driver.session('b')
    expect(await replica?.exec(isEqual('$PWD:$A', '/usr:1'))).toMatchObject({ exitCode: 0 })
  })

  it('runs a pending command again only if it is idempotent, and once', async () => {
    rig = dialectRig(dialect)
    const log = join(rig.home, 'log')
    const session = await rig.openShell('a')
    const line = `echo ran >> ${log}; sleep 1`
    session.write(`${line}\r`)
    await eventually('its first run', () => existsSync(log) || undefined)
    const snapshot = await rig.snapshot('a')
    await kill(session)
    expect(await rig.run('a', 'command-retry', { snapshot })).toMatchObject({
      _tag: 'not-applicable',
    })
    const again = { snapshot, traits: { ...traits, idempotentCommands: [line] } }
    expect(await rig.run('a', 'command-retry', again)).toMatchObject({ _tag: 'done' })
    const { evidence } = receiptIn(await rig.verify('a', 'command-retry', again))
    expect(evidence.at(-1)?.detail).toBe(`${line}: ended with code 0, try 1`)
    expect(readFileSync(log, 'utf8')).toBe('ran\nran\n')
  })

  it.each<readonly [string, string, ForegroundKind, RegExp]>([
    ['stopped', '', 'stopped', /after SIGCONT$/],
    ['at a read of its own', 'readsLine', 'waiting-for-line', /after \^C/],
    ['at cat', 'cat', 'waiting-for-line', /after \^C/],
    ['at a password', 'readsPassword', 'waiting-for-password', /after \^C/],
    [
      'at what ignores ^C',
      `sh -c 'trap "" INT; cat'`,
      'waiting-for-line',
      /\^C, \^C, SIGINT, SIGTERM$/,
    ],
  ])('%s is freed', async (_, what, kind, how) => {
    const line = what === 'readsLine' || what === 'readsPassword' ? dialect[what] : what
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    const pid = session.pid() ?? 0
    if (line === '') process.kill(pid, 'SIGSTOP')
    else session.write(`${line}\r`)
    await foreground(rig, 'a', kind)
    const outcome = await rig.run('a', 'prompt-interrupt')
    expect(outcome).toMatchObject({ _tag: 'done' })
    expect(outcome.detail).toMatch(how)
    const { items, evidence } = receiptIn(await rig.verify('a', 'prompt-interrupt'))
    expect(evidence).toMatchObject([{ source: 'mark', grade: 'observed' }])
    expect(items.jobs.detail).toContain(line === '' ? 'the same process' : line)
    expect(session.pid()).toBe(pid)
    expect(await session.exec(exitsWith(6))).toMatchObject({ exitCode: 6 })
  })

  it('is let be while a healthy command runs, or what is unknown', async () => {
    rig = dialectRig(dialect)
    for (const [line, kind] of [
      ['sleep 60', 'running'],
      ['bash --norc', 'unknown'],
    ] as const) {
      const session = await rig.openShell(kind)
      session.write(`${line}\r`)
      await foreground(rig, kind, kind)
      const before = await settledOutput(session)
      expect(await rig.run(kind, 'prompt-interrupt')).toMatchObject({ _tag: 'not-applicable' })
      expect(await rig.run(kind, 'prompt-reset')).toMatchObject({ _tag: 'failed' })
      expect(await rig.run(kind, 'session-refresh')).toMatchObject({ _tag: 'failed' })
      expect(await settledOutput(session)).toBe(before)
      expect((await rig.capture(kind)).foreground.kind).toBe(kind)
    }
  })

  it('keeps a line that is half typed when it is asked', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    const half = exitsWith(56).slice(0, -2)
    session.write(half)
    expect(await rig.verify('a')).toMatchObject({ _tag: 'alive' })
    expect(await rig.verify('a')).toMatchObject({ _tag: 'alive' })
    expect(session.setAside()).toEqual([])
    expect(await session.exec(exitsWith(57))).toEqual({ _tag: 'finished', exitCode: 57 })
    expect(session.setAside()).toEqual([half])
  })

  it('is started again when it is silent, if the policy says so', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    expect(await rig.run('a', 'session-refresh')).toMatchObject({ _tag: 'done' })
    const pid = session.pid() ?? 0
    process.kill(pid, 'SIGSTOP')
    await foreground(rig, 'a', 'stopped')
    const refresh = { ...defaultPolicy.refresh, fallbackToRestart: false }
    const policy = { ...defaultPolicy, refresh }
    expect(await rig.run('a', 'session-refresh', { policy })).toMatchObject({ _tag: 'failed' })
    expect(await rig.run('a', 'session-refresh')).toMatchObject({ _tag: 'done' })
    expect(session.pid()).not.toBe(pid)
    expect(await rig.verify('a', 'session-refresh')).toMatchObject({ _tag: 'alive' })
  })

  it('is never typed at while it is attended', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a', { attended: true })
    session.write('cat\r')
    await foreground(rig, 'a', 'waiting-for-line')
    for (const strategy of ['prompt-interrupt', 'prompt-reset', 'session-refresh'] as const) {
      expect(await rig.run('a', strategy)).toMatchObject({ _tag: 'not-applicable' })
    }
    expect(await rig.verify('a')).toMatchObject({ _tag: 'alive' })
  })
})

describe('history', () => {
  const [zsh, fish] = dialects
  if (zsh === undefined || fish === undefined) throw new Error('a shell is missing')

  needing('zsh')('of zsh is put back without a trace in the files of the user', async () => {
    rig = dialectRig(zsh)
    const file = join(rig.home, 'zsh-history')
    writeFileSync(file, 'before\n')
    rig.writeStartUp(`HISTFILE=${file}; SAVEHIST=100; HISTSIZE=100; setopt hist_ignore_all_dups`)
    const session = await rig.openShell('a')
    const snapshot = await rig.snapshot('a')
    await kill(session)
    const commandHistory = ['echo one', 'for x in 1 2\ndo echo $x \\\ndone', 'echo one', ' spaced ']
    await rig.run('a', 'restore', { snapshot: { ...snapshot, commandHistory } })
    expect(receiptIn(await rig.verify('a', 'restore')).items.history).toEqual({
      status: 'restored',
      detail: '4 lines compared equal',
    })
    await session.exec('echo new')
    await session.exec('fc -ln 1 > lines')
    expect(readFileSync(join(rig.home, 'lines'), 'utf8')).toContain('before')
    session.write('exit\r')
    await eventually('its end', () => session.pid() === undefined || undefined)
    expect(readFileSync(file, 'utf8')).toBe('before\necho new\nfc -ln 1 > lines\nexit\n')
  })

  needing('zsh')('of zsh that was cut short by its size is not called restored', async () => {
    rig = dialectRig(zsh)
    rig.writeStartUp('HISTSIZE=2')
    const session = await rig.openShell('a')
    const snapshot = await rig.snapshot('a')
    await kill(session)
    const commandHistory = ['one', 'two', 'three', 'four']
    await rig.run('a', 'restore', { snapshot: { ...snapshot, commandHistory } })
    expect(receiptIn(await rig.verify('a', 'restore')).items.history.status).toBe('lost')
  })

  needing('fish')(
    'of fish is there again, and what its version cannot be given is told lost',
    async () => {
      rig = dialectRig(fish)
      mkdirSync(join(rig.home, '.local/share/fish'), { recursive: true })
      const session = await rig.openShell('a')
      await session.exec('echo "one\n two"; # \\')
      const snapshot = await rig.snapshot('a')
      await kill(session)
      await rig.run('a', 'restore', { snapshot })
      expect(receiptIn(await rig.verify('a', 'restore')).items.history.status).toBe('restored')
      await kill(session)
      const commandHistory = [...snapshot.commandHistory, 'echo elsewhere']
      await rig.run('a', 'restore', { snapshot: { ...snapshot, commandHistory } })
      const { history } = receiptIn(await rig.verify('a', 'restore')).items
      await session.exec('string match -q "echo elsewhere" -- $history; and echo the""re')
      expect(history.status).toBe(session.output().includes('there') ? 'restored' : 'lost')
    },
  )
})
