/** What a real bash says in its marks, and what the driver makes of its end. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { died, eventually, foreground, type Rig, rigOf, traits } from './rig.js'

let rig: Rig
afterEach(() => rig.close())

describe('a shell', () => {
  it('tells exit codes, directory, exported variables and history', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    expect(await session.exec('(exit 7)')).toEqual({ _tag: 'finished', exitCode: 7 })
    expect(
      await session.exec('mkdir "w x" && cd "w x" && export A=1 B="2 3"; local_only=1'),
    ).toEqual({ _tag: 'finished', exitCode: 0 })
    expect(await session.exec(' echo spaced | cat; (echo sub)')).toMatchObject({ exitCode: 0 })
    const { update, foreground } = await rig.capture('a')
    expect(foreground.kind).toBe('at-prompt')
    expect(update.workingDirectory).toBe(join(rig.home, 'w x'))
    expect(update.environment).toMatchObject({ A: '1', B: '2 3', HOME: rig.home })
    expect(update.environment).not.toHaveProperty('local_only')
    expect(update.commandHistory).toEqual([
      '(exit 7)',
      'mkdir "w x" && cd "w x" && export A=1 B="2 3"; local_only=1',
      ' echo spaced | cat; (echo sub)',
    ])
    await session.exec('unset A')
    expect((await rig.capture('a')).update.environment).not.toHaveProperty('A')
  })

  it('says that something changed when a command begins, and when it has ended', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    const changes = () => rig.observed.filter(({ _tag }) => _tag === 'changed').length
    const opened = changes()
    await session.exec('true')
    await session.exec('export A=1')
    expect(changes()).toBe(opened + 4)
    const told = (await rig.capture('a')).update.environment
    expect(told).toMatchObject({ A: '1' })
    session.write('\r')
    session.write('sleep 60\r')
    await foreground(rig, 'a', 'running')
    expect(changes()).toBe(opened + 5)
  })

  it('keeps its marks out of the output, and its nonce from its children', async () => {
    rig = rigOf({ nonce: () => 'cafe'.repeat(8) })
    const session = await rig.open('a')
    let heard = ''
    session.onData((text) => {
      heard += text
    })
    await session.exec('env; export -p; bash -c "set"')
    expect(heard).toContain('HOME=')
    for (const output of [heard, session.output(), await session.screen()]) {
      expect(output).not.toContain('6973')
      expect(output).not.toContain('cafecafe')
      expect(output).not.toContain('__sr')
    }
  })

  it('believes no mark without its nonce', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    await session.exec('cd /')
    const forged = String.raw`printf '\e]6973;%s;D;13;0 99 '"'/forged'"'\a' deadbeef; printf '\e]6973;;K;1;9\a'`
    await session.exec(forged)
    const { update } = await rig.capture('a')
    expect(update.workingDirectory).toBe('/')
    expect(session.output()).toContain('deadbeef')
  })

  it('works on top of any start-up file', async () => {
    rig = rigOf()
    writeFileSync(
      join(rig.home, '.bashrc'),
      String.raw`set -u -e -a; set -x; IFS=0123456789; shopt -s nocasematch extglob
PROMPT_COMMAND='PS1="[$?]\$ "; (exit 3)||true'; PS0='go '; export PS1 PS0 PROMPT_COMMAND FROM_RC=1
alias printf=false local=false; printf() { false; }; HISTTIMEFORMAT='%F '; HISTCONTROL=ignoreboth
trap 'other=1' DEBUG`,
    )
    const session = await rig.open('a')
    expect(await session.exec('set +x; (exit 4) || true')).toMatchObject({ exitCode: 0 })
    expect(await session.exec('PROMPT_COMMAND=true; PS1="% "; set +e')).toMatchObject({
      exitCode: 0,
    })
    expect(await session.exec('(exit 5)')).toMatchObject({ exitCode: 5 })
    await session.exec(' hidden from history')
    const { update } = await rig.capture('a')
    expect(update.environment).toMatchObject({ FROM_RC: '1', PS1: '% ' })
    expect(Object.keys(update.environment ?? {}).filter((name) => name.startsWith('__sr'))).toEqual(
      [],
    )
    expect(update.commandHistory).toEqual([
      'set +x; (exit 4) || true',
      'PROMPT_COMMAND=true; PS1="% "; set +e',
      '(exit 5)',
    ])
  })

  it('still answers, and is armed again, after its integration was torn out', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    expect(await session.exec('unset PROMPT_COMMAND PS0')).toMatchObject({ _tag: 'lost' })
    session.write('cd /tmp\r')
    await eventually('the prompt in /tmp', () =>
      session.output().match(/:\/tmp[#$]/) ? true : undefined,
    )
    expect(await rig.run('a', 'prompt-reset')).toMatchObject({ _tag: 'done' })
    expect((await rig.capture('a')).update.workingDirectory).toBe('/tmp')
    expect(await rig.verify('a', 'prompt-reset')).toMatchObject({ _tag: 'alive' })
    expect(await session.exec('(exit 9)')).toEqual({ _tag: 'finished', exitCode: 9 })
  })

  it('is not sent the key while a command of its own reads, even when that was not told', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    await session.exec('unset PROMPT_COMMAND PS0')
    session.write('echo rea""dy; read -r x; echo "got <$x>"\r')
    await eventually('the read', () => session.output().includes('ready') || undefined)
    expect(await rig.verify('a', 'prompt-reset')).toMatchObject({ _tag: 'unproved' })
    session.write('mine\r')
    await eventually('what was read', () => session.output().includes('got <mine>') || undefined)
  })

  it('is typed nothing by exec and by a retry while a command of its own reads, even untold', async () => {
    rig = rigOf()
    const line = 'sleep 1000 # again'
    const first = await rig.open('a')
    void first.exec(line)
    await eventually(
      'the command',
      async () => (await rig.capture('a')).foreground.kind === 'running' || undefined,
    )
    process.kill(first.pid() ?? 0, 'SIGKILL')
    await died(rig, 'a')
    await rig.run('a', 'restore')
    const session = rig.driver.session('a') ?? first
    expect(session.unknownCommands()).toEqual([line])
    await session.exec('unset PROMPT_COMMAND PS0')
    session.write('echo rea""dy; read -r x; echo "got <$x>"\r')
    await eventually('the read', () => session.output().includes('ready') || undefined)
    const untyped = expect.stringContaining('nothing was typed')
    expect(await session.exec('echo no')).toEqual({ _tag: 'lost', detail: untyped })
    const retried = await rig.run('a', 'command-retry', {
      traits: { ...traits, idempotentCommands: [line] },
    })
    expect(retried).toEqual({ _tag: 'failed', detail: untyped })
    expect(session.unknownCommands()).toEqual([line])
    session.write('mine\r')
    await eventually('what was read', () => session.output().includes('got <mine>') || undefined)
    expect(session.setAside()).toEqual([])
  })

  it('survives background jobs that write into everything', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    const noise = 'for i in {1..200}; do echo "$i ...................."; sleep 0.001; done &'
    await session.exec(noise)
    for (let i = 0; i < 30; i++) {
      expect(await session.exec(`export N=${i}; (exit ${i})`)).toEqual({
        _tag: 'finished',
        exitCode: i,
      })
    }
    await session.exec('wait; export N=done')
    expect((await rig.capture('a')).update.environment).toMatchObject({ N: 'done' })
  })

  it('bounds its output and counts what it drops', async () => {
    rig = rigOf({ outputLimitBytes: 4_096 })
    const session = await rig.open('a')
    await session.exec('seq 1 5000')
    expect(Buffer.byteLength(session.output())).toBeLessThanOrEqual(4_096)
    expect(session.output()).toContain('5000')
    expect(session.droppedOutputBytes()).toBeGreaterThan(20_000)
  })
})

describe('the end of a shell', () => {
  it('by a signal is noticed with the signal', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    const running = session.exec('sleep 60')
    process.kill(session.pid() ?? 0, 'SIGKILL')
    expect(await died(rig, 'a')).toEqual({
      _tag: 'exited',
      sessionId: 'a',
      exit: { signal: 'SIGKILL' },
    })
    expect(await running).toMatchObject({ _tag: 'lost' })
    expect(session.write('x')).toBe(false)
    expect(session.pid()).toBeUndefined()
    expect((await rig.capture('a')).foreground.kind).toBe('dead')
  })

  it('with a code is noticed with the code', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    void session.exec('exit 137')
    expect(await died(rig, 'a')).toMatchObject({ exit: { exitCode: 137 } })
  })

  it('by the driver, or when nobody watches, is not told', async () => {
    rig = rigOf()
    await rig.open('a')
    const b = await rig.open('b')
    await rig.driver.detach('b')
    await rig.driver.end('a')
    process.kill(b.pid() ?? 0, 'SIGKILL')
    await eventually('the end of b', () => (b.pid() === undefined ? true : undefined))
    expect(rig.observed.filter(({ _tag }) => _tag === 'exited')).toEqual([])
  })
})

describe('opening', () => {
  it('refuses with the reason, and leaves nothing', async () => {
    rig = rigOf({ promptTimeoutMs: 500 })
    await expect(rig.open('a', { command: '/nowhere/bash' })).rejects.toThrow(/no such program/)
    await expect(rig.open('a', { cwd: '/nowhere' })).rejects.toThrow(/no such directory/)
    const early = join(rig.home, 'bash')
    writeFileSync(early, '#!/bin/sh\nexit 3\n')
    chmodSync(early, 0o755)
    await expect(rig.open('a', { command: early })).rejects.toThrow(/ended \(code 3\)/)
    writeFileSync(join(rig.home, '.bashrc'), 'sleep 60')
    await expect(rig.open('a')).rejects.toThrow(/no signed prompt within 500 ms/)
    expect(rig.driver.session('a')).toBeUndefined()
    writeFileSync(join(rig.home, '.bashrc'), '')
    await rig.open('a')
    await expect(rig.open('a')).rejects.toThrow(/SessionOpen/)
  })

  it('finds the shell of the environment by its PATH', async () => {
    rig = rigOf()
    const { PATH = '', ...env } = rig.env
    await rig.open('a', { command: 'bash' })
    await expect(rig.open('b', { command: 'bash', env })).rejects.toThrow(/no such program/)
    expect(PATH).not.toBe('')
  })
})
