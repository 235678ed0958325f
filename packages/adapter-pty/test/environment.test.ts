/** The environment of a real shell that was brought back, and where each variable of it comes from. */
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultPolicy, secretReference } from '@session-recovery/core'
import { afterEach, describe, expect, it } from 'vitest'
import { dialects, needing, quieten } from './dialect.js'
import { died, type Rig, rigOf } from './rig.js'

let rig: Rig
afterEach(() => rig.close())

const restored = async (
  today: Readonly<Record<string, string>>,
  before: Readonly<Record<string, string>>,
  more: Parameters<Rig['run']>[2] = {},
) => {
  rig = rigOf()
  const session = await rig.open('a', { env: { ...rig.env, ...today } })
  const snapshot = await rig.snapshot('a')
  process.kill(session.pid() ?? 0, 'SIGKILL')
  await died(rig, 'a')
  writeFileSync(join(rig.home, '.bashrc'), 'export MADE=1')
  const environment = { ...snapshot.environment, ...before }
  await rig.run('a', 'restore', { snapshot: { ...snapshot, environment }, ...more })
  const verdict = await rig.verify('a', 'restore')
  if (verdict._tag !== 'alive') throw new Error(verdict.detail)
  const { environment: now = {} } = (await rig.capture('a')).update
  return { now, item: verdict.receipt.items.env }
}

describe('the environment of a shell that was restored', () => {
  it('says of each variable where it comes from', async () => {
    const { now, item } = await restored(
      { SSH_AUTH_SOCK: '/today', NODE_OPTIONS: '--no-warnings', TOKEN: 'todays' },
      {
        ...{ MINE: 'kept', SSH_AUTH_SOCK: '/past', DISPLAY: ':7', TMUX: '/past,1,0' },
        ...{ LD_PRELOAD: '/nowhere.so', NODE_OPTIONS: '--require /nowhere.js' },
      },
      { lostSecrets: [secretReference('a', 'env', 'TOKEN')] },
    )
    expect(item.origins).toMatchObject({
      MINE: 'snapshot',
      HOME: 'host',
      SSH_AUTH_SOCK: 'host',
      DISPLAY: 'volatile',
      TMUX: 'volatile',
      LD_PRELOAD: 'refused',
      NODE_OPTIONS: 'refused',
      TOKEN: 'lost',
      MADE: 'start-up files',
    })
    expect(now).toMatchObject({
      MINE: 'kept',
      SSH_AUTH_SOCK: '/today',
      NODE_OPTIONS: '--no-warnings',
      MADE: '1',
    })
    for (const name of ['DISPLAY', 'TMUX', 'LD_PRELOAD']) expect(now).not.toHaveProperty(name)
    expect(item.status).toBe('lost')
    expect(item.detail).toContain('2 of a moment that is past: DISPLAY, TMUX')
  })

  it('looks for start-up files where today’s host has them, and names what was refused', async () => {
    const run = join(tmpdir(), 'nobody-runs-this')
    const names = ['XDG_CONFIG_HOME', 'LESS', 'MAKEFLAGS', 'GIT_DIR', 'INPUTRC']
    const before = { HOME: run, ...Object.fromEntries(names.map((name) => [name, run])) }
    const { now, item } = await restored({}, { ...before, GIT_AUTHOR_NAME: 'me' })
    expect(now).toMatchObject({ HOME: rig.home, GIT_AUTHOR_NAME: 'me', MADE: '1' })
    for (const name of names) expect(now).not.toHaveProperty(name)
    const refused = Object.fromEntries(names.map((name) => [name, 'refused']))
    expect(item.origins).toMatchObject({ ...refused, HOME: 'host', GIT_AUTHOR_NAME: 'snapshot' })
    for (const name of names) expect(item.detail).toContain(name)
    expect(item.detail).toContain('5 not restored, as they can run code')
  })

  it('has what the policy names, and today’s of what it calls volatile', async () => {
    const policy = {
      ...defaultPolicy,
      restoredExecutables: ['NODE_OPTIONS'],
      volatileNames: ['BUILD_NUMBER'],
    }
    const before = { NODE_OPTIONS: '--trace-warnings', BUILD_NUMBER: '41', PYTHONSTARTUP: '/x' }
    const { now, item } = await restored({ BUILD_NUMBER: '42' }, before, { policy })
    expect(now).toMatchObject({ NODE_OPTIONS: '--trace-warnings', BUILD_NUMBER: '42' })
    expect(now).not.toHaveProperty('PYTHONSTARTUP')
    expect(item.origins).toMatchObject({
      NODE_OPTIONS: 'snapshot',
      BUILD_NUMBER: 'host',
      PYTHONSTARTUP: 'refused',
    })
  })

  it('evaluates nothing of a value for which a start-up file declared a number', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    const snapshot = await rig.snapshot('a')
    process.kill(session.pid() ?? 0, 'SIGKILL')
    await died(rig, 'a')
    const proof = join(rig.home, 'proof')
    writeFileSync(join(rig.home, '.bashrc'), 'unset COUNT; declare -ix COUNT=3')
    const COUNT = `a[$(touch ${proof})]`
    const environment = { ...snapshot.environment, COUNT }
    await rig.run('a', 'restore', { snapshot: { ...snapshot, environment } })
    expect((await rig.capture('a')).update.environment).toMatchObject({ COUNT })
    expect(await session.exec(`test -e ${proof}`)).toMatchObject({ exitCode: 1 })
  })
})

describe('an environment of 900 KB, nearly all that a mark can carry', () => {
  // In bash what takes time by the square of the length would take 20 s of each prompt.
  const large = Object.fromEntries(
    Array.from({ length: 9 }, (_, nth) => [`LARGE${nth}`, `${nth}`.padEnd(100_000, 'x')]),
  )

  for (const command of ['bash', ...dialects.map(({ shell }) => shell)]) {
    needing(command)(`comes back with ${command} in the time a prompt may take`, async () => {
      rig = rigOf()
      quieten(rig.home)
      const session = await rig.open('a', { command, env: { ...rig.env, ...large } })
      expect(await session.exec('true')).toEqual({ _tag: 'finished', exitCode: 0 })
      const snapshot = await rig.snapshot('a')
      expect(snapshot.environment).toMatchObject(large)
      process.kill(session.pid() ?? 0, 'SIGKILL')
      await died(rig, 'a')
      expect(await rig.run('a', 'restore', { snapshot })).toMatchObject({ _tag: 'done' })
      const verdict = await rig.verify('a', 'restore')
      expect(verdict).toMatchObject({ receipt: { items: { env: { status: 'restored' } } } })
    })
  }
})
