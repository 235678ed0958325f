/** What the system throws becomes an error of the store's, and what is nobody's fault but ours stays what it is. */
import { systemError } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { attempt, codeOf, unavailable } from '../src/store-error.js'
import { refused } from './sample.js'

test('only an error of the system has a code', () => {
  expect(codeOf(systemError('ENOSPC'))).toBe('ENOSPC')
  const numbered = Object.assign(new Error('it'), { code: 5 })
  for (const other of [new Error('it'), numbered, { code: 'EIO' }, 'EIO', undefined, null, 5])
    expect(codeOf(other)).toBeUndefined()
})

test('what the disk refuses is told with what was asked for, and its code if it has one', async () => {
  const full = systemError('ENOSPC')
  expect(unavailable('commit', full)).toEqual({
    ...{ _tag: 'StoreUnavailable', operation: 'commit', code: 'ENOSPC' },
    message: `commit: ${full.message}`,
  })
  expect(unavailable('commit', 'a word')).toStrictEqual({
    ...{ _tag: 'StoreUnavailable', operation: 'commit', message: 'commit: a word' },
  })
  const asked = attempt('open', () => Promise.reject(full))
  expect(await refused(asked)).toMatchObject({ operation: 'open', code: 'ENOSPC' })
})

test('a mistake is none of the disk’s', async () => {
  const mistake = new TypeError('no such function')
  await expect(attempt('open', () => Promise.reject(mistake))()).rejects.toBe(mistake)
})
