/** Which options a store takes, what they default to, and how one that it does not take is named. */
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { type FileStoreOptions, limitBytesOf, settingsOf } from '../src/option.js'

const directory = '/store'
const key = new Uint8Array(32)
const problemOf = (options: unknown): string => {
  const settings = settingsOf(options as FileStoreOptions)
  return E.isLeft(settings) ? settings.left : 'it was accepted'
}
const settings = (options: object = {}) => {
  const made = settingsOf({ directory, ...options })
  if (E.isLeft(made)) throw new Error(made.left)
  return made.right
}

test('what is left out has its default', () => {
  const { sealer, logger, wallMs, schedule, ...rest } = settings()
  expect(rest).toEqual({
    ...{ directory, limitBytes: 16 << 20, journalEntriesPerSession: 100, forgottenSessions: 1_000 },
    ...{ archives: 1_000, archiveBytes: 1 << 30, archiveAgeMs: rest.quarantinedAgeMs },
    ...{ quarantined: 1_000, quarantinedBytes: 256 << 20, quarantinedAgeMs: expect.any(Number) },
    ...{ rollFrom: 1_000, scrubEveryMs: 86_400_000, secretNames: [], storeOutput: false },
  })
  expect(rest.archiveAgeMs).toBeGreaterThan(8e15)
  expect([sealer.current, sealer.has('k'), logger('info', 'x')]).toEqual([
    ...[undefined, false, undefined],
  ])
  expect(Math.abs(wallMs() - Date.now())).toBeLessThan(60_000)
  expect(limitBytesOf({})).toBe(16 << 20)
  expect(limitBytesOf({ limitBytes: 5 })).toBe(5)
})

test('what is given is taken', () => {
  const given = {
    ...{ limitBytes: 1 << 10, journalEntriesPerSession: 0, forgottenSessions: 0, archives: 1 },
    ...{ archiveBytes: 0, archiveAgeMs: 60_000, quarantined: 1, quarantinedBytes: 0 },
    ...{ quarantinedAgeMs: 60_000, scrubEveryMs: 60_000, secretNames: ['A'], storeOutput: true },
    ...{ rollFrom: 1, logger: () => undefined, wallMs: () => 5, schedule: () => () => undefined },
  }
  const { sealer: _, ...rest } = settings(given)
  expect(rest).toEqual({ directory, ...given })
  const sealing = { current: 'k', keys: { k: key } }
  expect(settings({ sealing })).toMatchObject({ storeOutput: true, sealer: { current: 'k' } })
  expect(settings({ sealing, storeOutput: false }).storeOutput).toBe(false)
  expect(settings({ scrubEveryMs: 0 }).scrubEveryMs).toBe(0)
})

test('the timer that is used by default can be taken away', async () => {
  const called: string[] = []
  const { schedule } = settings()
  const cancel = schedule(1, () => called.push('never'))
  cancel()
  await new Promise<void>((resolve) =>
    schedule(1, () => void resolve(called.push('once') as never)),
  )
  expect(called).toEqual(['once'])
})

test('by default a scrub keeps no process alive, and who waits for a turn does', () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const { schedule } = settings()
  const before = timers()
  const cancels = [schedule(1, () => undefined)]
  expect(timers()).toBe(before)
  cancels.push(schedule(0, () => undefined))
  expect(timers()).toBe(before + 1)
  for (const cancel of cancels) cancel()
})

describe('an option that cannot be used is named:', () => {
  const whole = (name: string, least: number, most: number, got: string) =>
    `${name}: expected a whole number from ${least} to ${most}, got ${got}`
  test.each<readonly [unknown, string]>([
    [null, 'expected an object'],
    ['/store', 'expected an object'],
    [{}, 'directory: expected a path'],
    [{ directory: '' }, 'directory: expected a path'],
    [{ directory: 7 }, 'directory: expected a path'],
    [{ directory: 'a\0b' }, 'directory: expected a path without NUL'],
    [{ directory, limitBytes: (1 << 10) - 1 }, 'limitBytes: expected a whole number from 1024 to'],
    [{ directory, limitBytes: '5' }, 'got string'],
    [{ directory, limitBytes: Number.NaN }, 'got NaN'],
    [{ directory, archives: 0 }, whole('archives', 1, 1_000_000, '0')],
    [{ directory, rollFrom: 0 }, whole('rollFrom', 1, 2 ** 50, '0')],
    [{ directory, archives: 1_000_001 }, whole('archives', 1, 1_000_000, '1000001')],
    [{ directory, quarantined: 1.5 }, whole('quarantined', 1, 1_000_000, '1.5')],
    [
      { directory, journalEntriesPerSession: 100_001 },
      whole('journalEntriesPerSession', 0, 100_000, '100001'),
    ],
    [{ directory, scrubEveryMs: 1 }, 'scrubEveryMs: expected 0 or 60000 and more, got 1'],
    [{ directory, secretNames: 'A' }, 'secretNames: expected names'],
    [{ directory, secretNames: ['A', 1] }, 'secretNames: expected names'],
    [{ directory, storeOutput: 'yes' }, 'storeOutput: expected a boolean'],
    [{ directory, logger: 'no' }, 'logger: expected a function'],
    [{ directory, wallMs: 5 }, 'wallMs: expected a function'],
    [{ directory, schedule: {} }, 'schedule: expected a function'],
    [{ directory, sealing: null }, 'sealing: expected keys and which is current'],
    [{ directory, sealing: 'k' }, 'sealing: expected keys and which is current'],
  ])('%j', (options, problem) => {
    expect(problemOf(options)).toContain(problem)
  })

  test.each<readonly [object, string]>([
    [{ current: 'k', keys: 5 }, 'keys: expected keys under their ids'],
    [{ current: 'k', keys: null }, 'keys: expected keys under their ids'],
    [{ current: '', keys: { '': key } }, 'keys.: expected an id'],
    [{ current: 'k', keys: { k: 'x'.repeat(32) } }, 'keys.k: expected a Uint8Array'],
    [{ current: 'k', keys: { k: new Uint8Array(33) } }, 'keys.k: expected 32 bytes, got 33'],
    [{ current: 5, keys: { 5: key } }, 'current: expected the id of one of the keys'],
    [{ current: 'other', keys: { k: key } }, 'current: expected the id of one of the keys'],
    [{ current: 'k', keys: { k: key }, lostKeys: [5] }, 'lostKeys: expected ids'],
    [{ current: 'k', keys: { k: key }, lostKeys: {} }, 'lostKeys: expected ids'],
    [{ current: 'k', keys: { k: key }, lostKeys: ['l', 'k'] }, 'lostKeys: k is among the keys'],
    [
      { current: 'k', keys: { k: key }, acceptUnsealed: 'no' },
      'acceptUnsealed: expected a boolean',
    ],
    [{ current: 'k', keys: { k: key }, lostKeys: [], acceptUnsealed: false }, 'it was accepted'],
    [{ current: 'k', keys: { k: key }, lostKeys: ['l'] }, 'it was accepted'],
  ])('sealing: %j', (sealing, problem) => {
    const accepted = problem === 'it was accepted'
    expect(problemOf({ directory, sealing })).toBe(accepted ? problem : `sealing.${problem}`)
  })
})
