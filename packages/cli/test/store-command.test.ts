/**
 * `archive`, `quarantine` and `doctor` as a user runs them, on a store that an engine filled: a session that
 * could not be brought back is found, restored, and recovered by the engine that opens the store next.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fileStore } from '@session-recovery/adapter-fs'
import {
  type Driver,
  type Fact,
  policyFrom,
  receiptOf,
  restored,
  type Verdict,
} from '@session-recovery/core'
import { createEngine } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { expect, onTestFinished, test, vi } from 'vitest'

// Each look is a process of its own, and the machine may have much else to do.
vi.setConfig({ testTimeout: 300_000 })

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const run = (...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  return { status, stdout, stderr }
}

const freshDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'session-recovery-cli-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const alive: Verdict = {
  _tag: 'alive',
  receipt: receiptOf('observed', { process: restored('it answers') }, [
    { source: 'probe', grade: 'observed', trusted: true, detail: 'it answers', atMs: 0 },
  ]),
}

/** Sessions are dead until a strategy was run, if any strategy works at all. */
const driver = (works: boolean): Driver => {
  const up = new Set<string>()
  return {
    name: 'test',
    supports: { strategies: new Set(['restore', 'restart']), capture: false, proof: 'observed' },
    watch: () => () => {},
    capture: () => async () => E.left({ _tag: 'DriverError', message: 'it has none' }),
    run:
      ({ sessionId }) =>
      async () => {
        if (works) up.add(sessionId)
        return E.right({ _tag: works ? 'done' : 'failed', detail: 'it says so' })
      },
    verify:
      ({ sessionId }) =>
      async () =>
        E.right(
          up.has(sessionId) ? alive : { _tag: 'unproved', detail: 'it is gone', evidence: [] },
        ),
    detach: async () => {},
  }
}

const policy = policyFrom({ maxRecoveryAttempts: 1, recoveryDelay: 0, recoveryTimeout: 5_000 })

/** An engine on the store, and what it told until `until` holds. */
const engineOn = async (directory: string, works: boolean, until: Fact['_tag']) => {
  if (E.isLeft(policy)) throw new Error('the policy')
  const store = fileStore({ directory })
  const engine = createEngine({ policy: policy.right, driver: driver(works), store })
  const told = new Promise<Fact>((resolve) => {
    engine.subscribe((notice) => {
      if (notice._tag !== 'decided') return
      for (const effect of notice.entry.effects) {
        if (effect._tag === 'tell' && effect.fact._tag === until) resolve(effect.fact)
      }
    })
  })
  expect((await engine.start())._tag).toBe('started')
  return { engine, told }
}

const lost = async (): Promise<string> => {
  const directory = freshDirectory()
  const { engine, told } = await engineOn(directory, false, 'incident-exhausted')
  const registered = await engine.register('web \u001b[2J', {
    sessionOptions: { command: 'bash', cwd: '/srv' },
    attended: false,
    shell: true,
  })
  expect(registered._tag).toBe('registered')
  await engine.recover('web \u001b[2J', 'it was killed')
  await told
  await engine.stop()
  return directory
}

test('an archived session is listed, shown, restored, and recovered by the next engine', async () => {
  const directory = await lost()
  const listed = run('archive', 'list', '--directory', directory)
  expect({ status: listed.status, stderr: listed.stderr }).toEqual({ status: 0, stderr: '' })
  expect(listed.stdout).toContain('"web \\u001b[2J"')
  expect(listed.stdout).not.toContain('\u001b')
  const [archive] = JSON.parse(run('archive', 'list', '--directory', directory, '--json').stdout)
  expect(archive).toMatchObject({ _tag: 'archive', sessionId: 'web \u001b[2J', incident: 1 })

  const shown = run('archive', 'show', archive.location, '--directory', directory)
  expect(shown.status).toBe(0)
  expect(shown.stdout).toMatch(/^session +"web \\u001b\[2J"$/m)
  const whole = run('archive', 'show', archive.location, '--directory', directory, '--json')
  expect(JSON.parse(whole.stdout)).toMatchObject({ v: 1, sessionId: 'web \u001b[2J' })

  const restoring = run('archive', 'restore', archive.location, '--directory', directory)
  expect({ status: restoring.status, stderr: restoring.stderr }).toEqual({ status: 0, stderr: '' })
  expect(restoring.stdout).toContain('registered again as incarnation 2')
  const again = run('archive', 'restore', archive.location, '--directory', directory, '--json')
  expect(again.status).toBe(75)
  expect(JSON.parse(again.stdout)).toMatchObject({ error: { _tag: 'SessionLives' } })

  const { engine, told } = await engineOn(directory, true, 'incident-recovered')
  await told
  await engine.stop()
})

test('while an engine has the store open it is looked at, and not restored into', async () => {
  const directory = await lost()
  const { location } = JSON.parse(
    run('archive', 'list', '--directory', directory, '--json').stdout,
  )[0]
  const store = fileStore({ directory })
  await store.open()
  try {
    const restoring = run('archive', 'restore', location, '--directory', directory)
    expect({ status: restoring.status, stdout: restoring.stdout }).toEqual({
      status: 75,
      stdout: '',
    })
    expect(restoring.stderr).toMatch(/^session-recovery: StoreOwned: /)
    const doctor = run('doctor', '--directory', directory, '--scrub')
    expect(doctor.status).toBe(0)
    expect(doctor.stdout).toContain('an engine that runs')
    expect(doctor.stdout).toMatch(/^dropped +0 archives, 0 B; 0 quarantined, 0 B$/m)
    expect(doctor.stdout).toContain('Nothing is wrong.')
  } finally {
    await store.close()
  }
})

test('doctor names what is wrong and ends with 1; what was set aside is listed and shown', async () => {
  const directory = await lost()
  const log = join(directory, 'log')
  const segment = join(log, readdirSync(log)[0] ?? '')
  const bytes = readFileSync(segment)
  bytes[bytes.indexOf('"commit"') + 40] = 0x21
  writeFileSync(segment, bytes)
  const doctor = run('doctor', '--directory', directory, '--json')
  expect(doctor.status).toBe(1)
  expect(JSON.parse(doctor.stdout).findings).toMatchObject([
    { _tag: 'damaged-log', severity: 'problem' },
  ])
  expect(run('doctor', '--directory', directory).stdout).toMatch(/^problem: .*crc/m)

  const store = fileStore({ directory })
  await store.open()
  await store.close()
  expect(run('doctor', '--directory', directory).status).toBe(0)
  const [aside] = JSON.parse(run('quarantine', 'list', '--directory', directory, '--json').stdout)
  expect(aside).toMatchObject({ kind: 'log' })
  const shown = run('quarantine', 'show', aside.location, '--directory', directory)
  expect(shown).toMatchObject({ status: 0, stderr: '' })
  expect(shown.stdout).toContain('crc')
  const restoring = run('quarantine', 'restore', aside.location, '--directory', directory)
  expect(restoring.status).toBe(65)
  expect(restoring.stderr).toContain('format 0')
})

test.each([
  [['archive', 'list', '--directory', '/nowhere'], 66],
  [['archive', 'show', 'archives/x', '--directory', '/nowhere'], 66],
  [['doctor', '--directory', '/nowhere'], 66],
  [['doctor'], 64],
  [['archive', 'show', '--directory', '/nowhere'], 64],
  [['archive', 'show', 'x', '--directory', '/nowhere', '--key', 'k=/nowhere'], 64],
] as const)('%j ends with %i', (args, status) => {
  const done = run(...args)
  expect({ status: done.status, stdout: done.stdout }).toEqual({ status, stdout: '' })
  expect(done.stderr).toMatch(/^session-recovery: /)
})

test('a sealed archive is shown with its key alone', async () => {
  const directory = freshDirectory()
  const key = new Uint8Array(32).fill(7)
  const store = fileStore({ directory, sealing: { current: 'k1', keys: { k1: key } } })
  await store.open()
  const body = { workingDirectory: '/secret/place', environment: {} }
  const control = {
    sessionId: 's',
    incarnation: 1,
    registeredAtMs: 1,
    traits: {
      kind: 'local',
      attended: false,
      shell: true,
      rerunnable: false,
      failureExitCodes: [] as number[],
      idempotentCommands: [] as string[],
    },
    used: 0,
    incidents: 0,
  } as const
  const location = await store.archive({
    ...{ v: 1, sessionId: 's', incarnation: 1, incident: 1, token: 't', atMs: 5 },
    record: { v: 1, rev: 1, state: 'exhausted', control },
    snapshot: {
      sessionId: 's',
      incarnation: 1,
      view: { generation: 1, capturedAtMs: 4 },
      body,
    },
  })()
  await store.close()
  const archive = E.isRight(location) ? location.right : ''
  expect(run('archive', 'list', '--directory', directory).stdout).toContain('sealed')
  const shut = run('archive', 'show', archive, '--directory', directory)
  expect({ status: shut.status, stdout: shut.stdout }).toEqual({ status: 65, stdout: '' })
  expect(shut.stderr).toContain('KeyMissing')
  const file = join(directory, '..', `${Date.now()}.key`)
  onTestFinished(() => rmSync(file))
  writeFileSync(file, key)
  const open = run('archive', 'show', archive, '--directory', directory, '--key', `k1=${file}`)
  expect(open).toMatchObject({ status: 0, stderr: '' })
  expect(open.stdout).toContain('/secret/place')
})
