/** Secrets: the host gets its own back when it is asked to act; nobody else is told. */
import type { Archive, Secrets, Store } from '@session-recovery/core'
import { memoryMedium, memoryStore } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { payloadOf, planOf, requests, stage, tidings } from './stage.js'

const secret = 'correct-horse-battery'
const remote = {
  command: 'bash',
  env: { API_TOKEN: secret, EDITOR: 'vi' },
  sshOptions: { host: 'far', password: secret },
}

test('no tidings, log, store or archive carries a secret; requests do', async () => {
  const medium = memoryMedium()
  const archives: Archive[] = []
  const kept = memoryStore(medium)
  const store: Store = {
    ...kept,
    archive: (archive) => async () => {
      archives.push(archive)
      return kept.archive(archive)()
    },
  }
  const options = { ...planOf('reconnect', 'restart'), storeOutput: true, store }
  const seen = stage({ maxRecoveryAttempts: 1 }, options)
  const { recovery, answer, told, logged } = seen
  for (const event of requests) answer(event, () => undefined)
  await recovery.registerSession('a', { lastLogin: `with ${secret}` }, remote)
  await recovery.updateSessionSnapshot('a', { commandHistory: [`login ${secret}`] })
  await recovery.updateInteractiveState('a', { pendingCommands: [`curl -H ${secret}`] })
  await recovery.recoverSession('a', `connection refused for ${secret}`)
  expect(payloadOf(seen, 'ssh-reconnect-request')).toMatchObject({ sshOptions: remote.sshOptions })
  expect(payloadOf(seen, 'session-restart-request')).toMatchObject({
    sessionOptions: remote,
    restoreState: { environment: remote.env },
  })
  const named: readonly string[] = tidings
  const tidingsTold = told.filter(({ event }) => named.includes(event))
  expect(tidingsTold.map(({ event }) => event)).toContain('recovery-fallback')
  expect(JSON.stringify([tidingsTold, logged, archives, [...medium.sessions]])).not.toContain(
    secret,
  )
  // The search finds what is there.
  expect(JSON.stringify(told)).toContain(secret)
})

test('nor a former value, nor the rest of one that was cut, nor what was refused', async () => {
  const seen = stage({}, { storeOutput: true, snapshotLimit: { outputBytes: 24 } })
  const { recovery, told, logged } = seen
  await recovery.registerSession('a', {}, { command: 'bash', env: { API_TOKEN: secret } })
  await recovery.updateSessionSnapshot('a', { environment: { API_TOKEN: 'the-second-one' } })
  await recovery.updateSessionSnapshot('a', { environment: { API_TOKEN: 'the-third-one' } })
  await recovery.updateSessionSnapshot('a', {
    commandHistory: [`echo ${secret} the-second-one`],
    outputBuffer: [`${secret} was refused`],
  })
  const refused = { commandHistory: secret } as never
  await expect(recovery.updateSessionSnapshot('a', refused)).rejects.toMatchObject({
    _tag: 'InvalidInput',
  })
  seen.answer('snapshot-request', ({ callback }: never) =>
    (callback as (u: unknown) => void)(refused),
  )
  await recovery.updateInteractiveState('a', { pendingCommands: [`su ${secret}`] })
  const said = JSON.stringify([told.filter(({ event }) => event !== 'snapshot-request'), logged])
  expect(said).not.toContain(secret)
  expect(said).not.toContain('the-second-one')
  // Twenty-four bytes of output were kept: they began in the middle of the secret.
  expect(said).not.toContain('horse-battery')
  expect(said).toContain(' was refused')
})

describe('in a later run of the app', () => {
  const laterRun = async (secrets: { first?: Secrets; later?: Secrets }) => {
    const store = memoryStore()
    const first = stage({}, { store, ...(secrets.first ? { secrets: secrets.first } : {}) })
    await first.recovery.registerSession('a', {}, remote)
    await first.recovery.stop()
    const later = stage(
      {},
      {
        ...planOf('reconnect', 'restart'),
        store,
        ...(secrets.later ? { secrets: secrets.later } : {}),
      },
    )
    for (const event of requests) later.answer(event, () => undefined)
    await later.recovery.start()
    await later.recovery.recoverSession('a')
    return later
  }

  test('a keeper of secrets gives them back', async () => {
    const values = new Map<string, string>()
    const keeper: Secrets = {
      put: (reference, value) => async () => E.right(void values.set(reference, value)),
      get: (reference) => async () => E.right(values.get(reference) ?? ''),
    }
    const later = await laterRun({ first: keeper, later: keeper })
    expect(payloadOf(later, 'ssh-reconnect-request')).toMatchObject({
      sshOptions: remote.sshOptions,
    })
  })

  test('without one they are left out: no reference is ever taken for a password', async () => {
    const later = await laterRun({})
    expect(payloadOf(later, 'ssh-reconnect-request')).toEqual({
      sessionId: 'a',
      sshOptions: { host: 'far' },
    })
    expect(payloadOf(later, 'session-restart-request')).toEqual({
      sessionId: 'a',
      sessionOptions: { command: 'bash', env: { EDITOR: 'vi' }, sshOptions: { host: 'far' } },
      restoreState: { workingDirectory: '', environment: { EDITOR: 'vi' } },
    })
  })
})
