/** The default keeper of secrets: what it was given it gives back, and of what it was not it says which is missing. */
import { memorySecrets } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'

test('what was put last is got, and of what was never put it is said which it is', async () => {
  const secrets = memorySecrets()
  for (const value of ['old', 'new']) await secrets.put('a', value)()
  expect(await secrets.get('a')()).toEqual(E.right('new'))
  expect(await secrets.get('b')()).toEqual(
    E.left({ _tag: 'SecretMissing', reference: 'b', message: expect.any(String) }),
  )
  // Nothing is shared by two of them.
  expect(E.isLeft(await memorySecrets().get('a')())).toBe(true)
})
