/** Prompts are freed by the least force, the shell lives on, and what must not be touched is not. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ForegroundKind } from '@session-recovery/core'
import { afterEach, expect, it } from 'vitest'
import { died, eventually, foreground, type Rig, rigOf, settledOutput, traits } from './rig.js'

let rig: Rig
afterEach(() => rig.close())

it.each<readonly [string, string, ForegroundKind, RegExp]>([
  ['a stopped shell', '', 'stopped', /after SIGCONT$/],
  ['read -p', 'read -p "? " x', 'waiting-for-line', /after \^C/],
  ['cat', 'cat', 'waiting-for-line', /after \^C/],
  ['a password', 'read -s x', 'waiting-for-password', /after \^C/],
  ['a script', `bash -c 'read x; echo'`, 'waiting-for-line', /after \^C/],
  [
    'what ignores ^C',
    `bash -c 'trap "" INT; cat'`,
    'waiting-for-line',
    /\^C, \^C, SIGINT, SIGTERM$/,
  ],
  [
    'what ignores all but a hang-up',
    `bash -c 'trap "" INT TERM; cat'`,
    'waiting-for-line',
    /SIGTERM, SIGHUP$/,
  ],
])('%s is freed', async (_, line, kind, how) => {
  rig = rigOf()
  const session = await rig.open('a')
  const pid = session.pid() ?? 0
  await session.exec('kept=1')
  if (line === '') process.kill(pid, 'SIGSTOP')
  else session.write(`${line}\r`)
  await foreground(rig, 'a', kind)
  const outcome = await rig.run('a', 'prompt-interrupt')
  expect(outcome).toMatchObject({ _tag: 'done' })
  expect(outcome.detail).toMatch(how)
  const verdict = await rig.verify('a', 'prompt-interrupt')
  if (verdict._tag !== 'alive') throw new Error(verdict.detail)
  expect(verdict.receipt.evidence).toMatchObject([{ source: 'mark', grade: 'observed' }])
  expect(verdict.receipt.items.jobs.detail).toContain(line === '' ? 'the same process' : line)
  expect(session.pid()).toBe(pid)
  expect(await session.exec('[ $kept = 1 ]')).toMatchObject({ exitCode: 0 })
})

it.each([
  ['an unclosed quote', `echo "ran`],
  ['a heredoc', 'cat <<END'],
  ['a loop without its end', 'for i in 1 2; do'],
])('%s is dropped, neither answered nor run, and the key is not pressed there', async (_, line) => {
  rig = rigOf()
  const session = await rig.open('a')
  session.write(`${line}\r`)
  await eventually('the prompt for the rest', async () => {
    const { foreground: seen } = await rig.capture('a')
    return seen.kind === 'waiting-for-line' && seen.reasons[0]?.includes('rest') ? true : undefined
  })
  expect(await rig.run('a', 'prompt-reset')).toMatchObject({ _tag: 'failed' })
  expect(await rig.verify('a')).toMatchObject({ _tag: 'alive' })
  expect((await rig.capture('a')).foreground.kind).toBe('waiting-for-line')
  expect(await rig.run('a', 'prompt-interrupt')).toEqual({
    _tag: 'done',
    detail: 'the shell is at its prompt, after ^C',
  })
  expect(await rig.verify('a', 'prompt-interrupt')).toMatchObject({ _tag: 'alive' })
  expect(session.output()).not.toMatch(/^ran/m)
  expect(await session.exec('PS2="% "; (exit 4)')).toMatchObject({ exitCode: 4 })
})

it('leaves a healthy command, what is unknown and the prompt alone', async () => {
  rig = rigOf()
  for (const [line, kind, outcome] of [
    ['sleep 60', 'running', 'not-applicable'],
    ['bash --norc', 'unknown', 'not-applicable'],
    ['', 'at-prompt', 'done'],
  ] as const) {
    const session = await rig.open(kind)
    session.write(`${line}\r`)
    await foreground(rig, kind, kind)
    const before = await settledOutput(session)
    expect(await rig.run(kind, 'prompt-interrupt')).toMatchObject({ _tag: outcome })
    expect(await settledOutput(session)).toBe(before)
    await foreground(rig, kind, kind)
  }
})

it('ends a command that does not wait for input only past its expected end', async () => {
  rig = rigOf()
  const session = await rig.open('a', { expectedMs: 0 })
  session.write('sleep 60\r')
  await foreground(rig, 'a', 'running')
  const outcome = await rig.run('a', 'prompt-interrupt')
  expect(outcome).toMatchObject({ _tag: 'done' })
  expect(outcome.detail).toMatch(/after SIGINT/)
  expect(await rig.verify('a', 'prompt-interrupt')).toMatchObject({ _tag: 'alive' })
})

it('never types at an attended session, whichever side says so', async () => {
  rig = rigOf()
  const log = join(rig.home, 'typed')
  const line = `stty raw -echo; cat > ${log}`
  const attended = await rig.open('declared', { attended: true })
  const other = await rig.open('by-traits')
  for (const session of [attended, other]) {
    session.write('cat\r')
    await foreground(rig, session.id, 'waiting-for-line')
    const request = session === other ? { traits: { ...traits, attended: true } } : {}
    for (const strategy of ['prompt-interrupt', 'prompt-reset', 'session-refresh'] as const) {
      expect(await rig.run(session.id, strategy, request)).toMatchObject({ _tag: 'not-applicable' })
    }
    expect(await rig.verify(session.id, undefined, request)).toMatchObject({ _tag: 'alive' })
    await foreground(rig, session.id, 'waiting-for-line')
  }
  const typed = await rig.open('typed', { attended: true })
  typed.write(`${line}\r`)
  await eventually('the program that was started', () => existsSync(log) || undefined)
  await foreground(rig, 'typed', 'unknown')
  await rig.verify('typed')
  await rig.run('typed', 'prompt-interrupt')
  expect(readFileSync(log, 'utf8')).toBe('')
})

it('runs no command twice, and types nothing that a shell would run', async () => {
  rig = rigOf()
  const log = join(rig.home, 'log')
  const session = await rig.open('a')
  session.write(`echo once >> ${log}; cat\r`)
  await foreground(rig, 'a', 'waiting-for-line')
  const snapshot = await rig.snapshot('a')
  expect(snapshot.interactiveState?.pendingCommands).toEqual([`echo once >> ${log}; cat`])
  for (const strategy of ['prompt-interrupt', 'prompt-reset', 'session-refresh'] as const) {
    const outcome = await rig.run('a', strategy, { snapshot })
    expect(outcome._tag).toBe('done')
    expect(await rig.verify('a', strategy)).toMatchObject({ _tag: 'alive' })
    if (strategy === 'prompt-reset')
      expect(outcome.detail).toContain('set aside, not run: echo once')
  }
  expect(readFileSync(log, 'utf8')).toBe('once\n')
  expect((await rig.capture('a')).update.commandHistory).toHaveLength(1)
})

it('says so when the session is dead', async () => {
  rig = rigOf()
  const session = await rig.open('a')
  process.kill(session.pid() ?? 0, 'SIGKILL')
  await died(rig, 'a')
  expect(await rig.run('a', 'prompt-interrupt')).toEqual({
    _tag: 'failed',
    detail: 'there is no process',
  })
})
