/** The drop-in class on a real disk, as the seed's config puts it there. */
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SessionRecovery, type SessionRecoveryOptions } from '../src/index.js'
import { planOf } from './stage.js'

const born = new Date('2020-01-01T00:00:00.123Z')
const bash = { command: 'bash', cwd: '/srv', env: { EDITOR: 'vi', API_TOKEN: 'correct-horse' } }

let folder: string
const open: SessionRecovery[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'session-recovery-events-'))
})
afterEach(async () => {
  for (const recovery of open.splice(0)) await recovery.destroy()
  await rm(folder, { recursive: true })
})

const begin = (options: SessionRecoveryOptions = {}, path = 'data') => {
  const recovery = new SessionRecovery(
    { persistencePath: join(folder, path), snapshotInterval: 0, recoveryDelay: 1 },
    options,
  )
  open.push(recovery)
  return recovery
}

/** Everything that stands below a folder. */
const contents = async (path: string): Promise<string> => {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const texts = await Promise.all(
    files.map((file) => readFile(join(file.parentPath, file.name), 'utf8')),
  )
  return texts.join('\n')
}

test('sessions of a former run are there after start(), every date a date', async () => {
  const first = begin()
  await first.start()
  await first.registerSession('a', { startedAt: born, log: [{ at: born }] }, bash)
  await first.updateSessionSnapshot('a', {
    errorContext: { lastError: 'gone', errorTimestamp: born, errorCount: 1 },
  })
  await first.updateInteractiveState('a', {
    isInteractive: true,
    lastPromptDetected: born,
    lastSuccessfulCommand: born,
    sessionUnresponsive: true,
  })
  const told = first.getAllSnapshots().a
  await first.stop()

  const later = begin()
  expect(later.getAllSnapshots()).toEqual({})
  await later.start()
  const found = later.getAllSnapshots().a
  expect(found).toMatchObject({
    timestamp: expect.any(Date),
    sessionState: { startedAt: born, log: [{ at: born }] },
    errorContext: told?.errorContext,
    interactiveState: told?.interactiveState,
  })
  expect(later.shouldTriggerInteractiveRecovery('a')).toMatchObject({ shouldTrigger: true })
  expect(later.getRecoveryStatistics()).toMatchObject({ registeredSessions: 1, sessionsSaved: 1 })
})

test('statistics, histories and a used-up budget outlive the app', async () => {
  const first = begin(planOf('restart'))
  await first.registerSession('a', {}, bash)
  await first.recoverSession('a')
  const { sessionId } = (first.getSessionRecoveryHistory('a')[0] ?? {}) as { sessionId?: string }
  expect(sessionId).toBe('a')
  const counted = first.getRecoveryStatistics()
  expect(counted.failedRecoveries).toBe(1)
  const history = first.getSessionRecoveryHistory('a')
  await first.stop()

  const later = begin(planOf('restart'))
  await later.start()
  expect(later.getSessionRecoveryHistory('a')).toEqual(history)
  expect(later.getRecoveryStatistics()).toEqual({ ...counted, isRunning: true })
  const exhausted = new Promise((resolve) => void later.once('recovery-max-attempts', resolve))
  expect(await later.recoverSession('a')).toBe(false)
  expect(await exhausted).toEqual({ sessionId: 'a', attempts: 1 })
})

test('a session beyond saving is archived where the event says, and no secret is on disk', async () => {
  const recovery = begin(planOf('restart'))
  const fallback = new Promise<{ archiveLocation: string | null; message: string }>((resolve) => {
    recovery.on('recovery-fallback', resolve)
  })
  await recovery.registerSession('../../a', {}, bash)
  await recovery.recoverSession('../../a')
  const { archiveLocation, message } = await fallback
  expect(message).toContain('Data has been archived for manual recovery.')
  expect(archiveLocation).not.toBeNull()
  const all = await contents(folder)
  expect(all).toContain('/srv')
  expect(all).not.toContain('correct-horse')
  expect(await readdir(folder)).toEqual(['data'])
})

test('a second engine on the same folder is refused, typed; the first goes on', async () => {
  const first = begin()
  await first.start()
  const second = begin()
  await expect(second.start()).rejects.toMatchObject({
    _tag: 'StoreFailed',
    cause: { _tag: 'StoreOwned' },
  })
  await first.registerSession('a', {}, bash)
  expect(Object.keys(first.getAllSnapshots())).toEqual(['a'])
})

test('what the seed left in the folder is taken over', async () => {
  const recovery = begin({}, '.')
  const left = {
    sessionId: 'old',
    timestamp: born.toISOString(),
    sessionState: { status: 'running' },
    sessionOptions: { command: 'bash' },
    environment: { EDITOR: 'vi' },
    workingDirectory: '/old',
    commandHistory: [],
    outputBuffer: [],
  }
  await writeFile(join(folder, 'old.snapshot.json'), JSON.stringify(left))
  await recovery.start()
  expect(recovery.getAllSnapshots().old).toMatchObject({
    workingDirectory: '/old',
    timestamp: expect.any(Date),
  })
})

test('persistence off: nothing is written', async () => {
  const recovery = new SessionRecovery({
    persistenceEnabled: false,
    persistencePath: join(folder, 'data'),
  })
  open.push(recovery)
  await recovery.start()
  await recovery.registerSession('a', {}, bash)
  await recovery.stop()
  expect(existsSync(join(folder, 'data'))).toBe(false)
})

test('an unregistered session is gone in the next run', async () => {
  const first = begin()
  await first.registerSession('a', {}, bash)
  await first.unregisterSession('a')
  await first.stop()
  const later = begin()
  await later.start()
  expect(later.getAllSnapshots()).toEqual({})
})

test('with a key output and history are kept, sealed; without it the folder does not open', async () => {
  const sealing = { current: 'k1', keys: { k1: new Uint8Array(32).fill(7) } }
  const first = begin({ sealing })
  await first.registerSession('a', {}, bash)
  await first.updateSessionSnapshot('a', { commandHistory: ['make'], outputBuffer: ['all built'] })
  await first.stop()
  expect(await contents(folder)).not.toContain('all built')

  await expect(begin().start()).rejects.toMatchObject({
    _tag: 'StoreFailed',
    cause: { _tag: 'KeyMissing', keyId: 'k1' },
  })
  const later = begin({ sealing })
  await later.start()
  expect(later.getAllSnapshots().a).toMatchObject({
    commandHistory: ['make'],
    outputBuffer: ['all built'],
  })
})
