/**
 * Where the seed is wrong on the disk, and what is right. Each was seen to fail on the seed itself
 * (`SEED_CLASS`).
 */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { failing, heard, subject } from './seed-subject.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'session-recovery-seed-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const bash = { command: 'bash', cwd: '/srv', env: { LANG: 'C' } }
const data = () => join(folder, 'data')
const onDisk = (path = data()) =>
  subject({ persistenceEnabled: true, persistencePath: path, maxRecoveryAttempts: 1 })

const files = (): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

test('an archive is where the event says', async () => {
  const recovery = onDisk()
  const all = heard(recovery, 'recovery-fallback')
  await recovery.start()
  await recovery.registerSession('a', {}, bash)
  expect(await recovery.recoverSession('a', 'gone')).toBe(false)
  const location = String(all[0]?.payload.archiveLocation)
  expect(existsSync(join(data(), location)) && statSync(join(data(), location)).isFile()).toBe(true)
})

test('a disk that takes nothing is told to the caller', async () => {
  writeFileSync(join(folder, 'file'), '')
  await expect(onDisk(join(folder, 'file')).start()).rejects.toMatchObject({ _tag: 'StoreFailed' })
})

test('writes of one session at once leave the last, whole', async () => {
  const recovery = onDisk()
  await recovery.start()
  await recovery.registerSession('a', {}, bash)
  const long = (i: number) => ({ sessionState: { i, filling: 'x'.repeat((50 - i) * 2_000) } })
  await Promise.all(
    Array.from({ length: 50 }, (_, i) => recovery.updateSessionSnapshot('a', long(i))),
  )
  // As if the app had died: nothing more is written by stop().
  const lines = files().flatMap((path) => readFileSync(path, 'utf8').split('\n'))
  const bodies = lines.filter((line) => line.includes('"filling"'))
  expect(() => bodies.map((line) => JSON.parse(line))).not.toThrow()
  expect(bodies.at(-1)).toContain('"i":49')
})

test('dates of the app’s own are dates after a load', async () => {
  const born = new Date('2020-01-01T00:00:00.123Z')
  const first = onDisk()
  await first.start()
  await first.registerSession('a', { born }, bash)
  await first.updateInteractiveState('a', { isInteractive: true, lastPromptDetected: born })
  await first.stop()
  const later = onDisk()
  await later.start()
  const { sessionState, interactiveState } = later.getAllSnapshots().a ?? {}
  expect(sessionState).toEqual({ born })
  expect(interactiveState?.lastPromptDetected).toEqual(born)
  expect(() => later.shouldTriggerInteractiveRecovery('a')).not.toThrow()
})

test('attempts and statistics outlive the app', async () => {
  const first = failing(onDisk())
  await first.start()
  await first.registerSession('a', {}, bash)
  await first.recoverSession('a', 'gone')
  await first.stop()
  const later = onDisk()
  await later.start()
  expect(later.getSessionRecoveryHistory('a').length).toBe(1)
  expect(later.getRecoveryStatistics().totalRecoveryAttempts).toBe(1)
})

test('a file in which another id stands is not loaded, nor one of the wrong form', async () => {
  const recovery = onDisk(folder)
  const snapshot = {
    sessionId: 'other',
    timestamp: new Date(0),
    sessionState: {},
    sessionOptions: {},
    environment: {},
    workingDirectory: '',
    commandHistory: [],
    outputBuffer: [],
  }
  writeFileSync(join(folder, 'a.snapshot.json'), JSON.stringify(snapshot))
  const wrong = { ...snapshot, sessionId: 'b', environment: 7 }
  writeFileSync(join(folder, 'b.snapshot.json'), JSON.stringify(wrong))
  await recovery.start()
  expect(recovery.getAllSnapshots()).toEqual({})
})

test('a session’s id names no file outside', async () => {
  const victim = join(folder, 'victim.snapshot.json')
  writeFileSync(victim, 'precious')
  const recovery = onDisk()
  await recovery.start()
  await recovery.registerSession('../victim', {}, bash)
  await recovery.unregisterSession('../victim')
  expect(existsSync(victim) && readFileSync(victim, 'utf8')).toBe('precious')
})

test('no secret is in a file, and nobody else may read one', async () => {
  const recovery = onDisk()
  await recovery.start()
  const env = { DB_PASSWORD: 'correct-horse' }
  await recovery.registerSession('a', {}, { env, sshOptions: { password: 'battery-staple' } })
  await recovery.stop()
  expect(files().length).toBeGreaterThan(0)
  for (const path of files()) {
    expect(readFileSync(path, 'utf8')).not.toMatch(/correct-horse|battery-staple/)
    expect(statSync(path).mode & 0o077).toBe(0)
  }
})
