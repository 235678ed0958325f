/** What a text gives to a secret name is taken out to the letter, told once, and nothing else is. */
import { redact, redactedText, secretNames, withoutNamedSecrets } from '@session-recovery/core'
import { expect, test } from 'vitest'
import { secretReference } from '../src/secret-name.js'

const taken = (text: string): readonly [string, readonly string[]] => {
  const values: string[] = []
  const clean = withoutNamedSecrets(text, secretNames([]), (value) => values.push(value))
  return [clean, [...new Set(values)]]
}

test.each<readonly [string, string, readonly string[]]>([
  ['TOKEN=abc', 'TOKEN=[secret]', ['abc']],
  ['TOKEN=abc NAME=x', 'TOKEN=[secret] NAME=x', ['abc']],
  ['https://me:pw123@host/', 'https://me:[secret]@host/', ['pw123']],
  ['https://me:[secret]@host/', 'https://me:[secret]@host/', []],
  // A name within a value is part of the value.
  ['TOKEN="PASSWORD=abc x" go', 'TOKEN=[secret] go', ['"PASSWORD=abc x"', 'PASSWORD=abc x']],
  ['the end is TOKEN=', 'the end is TOKEN=', []],
  ['TOKEN=$OTHER', 'TOKEN=$OTHER', []],
  ['TOKEN="$(pass show)"', 'TOKEN="$(pass show)"', []],
  ['TOKEN=`pass`', 'TOKEN=`pass`', []],
  ['TOKEN=abc$OTHER', 'TOKEN=[secret]', ['abc$OTHER']],
  ['Authorization: Bearer  abc', 'Authorization: [secret]', ['Bearer  abc', 'abc']],
  ['Authorization: basic abc', 'Authorization: [secret]', ['basic abc', 'abc']],
  ['TOKEN="my bearer abc"', 'TOKEN=[secret]', ['"my bearer abc"', 'my bearer abc']],
  ['TOKEN=a"b"c', 'TOKEN=[secret]', ['a"b"c']],
  ['TOKEN=a.b', 'TOKEN=[secret]', ['a.b']],
  ['call(token=abc");', 'call(token=[secret]', ['abc");', 'abc']],
])('%s', (text, clean, values) => {
  expect(taken(text)).toEqual([clean, values])
})

const plain = {
  ...{ sessionId: 's', timestamp: new Date(0), sessionState: null, sessionOptions: null },
  ...{ environment: {}, workingDirectory: '/', commandHistory: [], outputBuffer: [] },
}
const secret = 'Qx7Lm2Zp9'

test('a reference says where the secret stood: in the state or in the options', () => {
  const both = { ...plain, sessionState: { token: 'a' }, sessionOptions: { token: 'b' } }
  expect([...redact(both, []).secrets]).toEqual([
    [secretReference('s', 'state', 'token'), 'a'],
    [secretReference('s', 'options', 'token'), 'b'],
  ])
})

test('what stands empty under a secret name stays so, and minus zero is itself again', () => {
  const empty = { ...plain, environment: { A_TOKEN: '' } }
  expect(redact(empty, [])).toMatchObject({ snapshot: empty, secrets: new Map() })
  const { secrets } = redact({ ...plain, sessionState: { pin: -0 } }, ['pin'])
  expect([...secrets.values()]).toEqual(['-0'])
})

test.each([
  [['run--password', 'now']],
  [['--token=$T', 'now']],
  [[['--password'], 'now']],
  [[5, 'now']],
])('what only looks like an option is followed by no secret: %j', (args) => {
  const snapshot = { ...plain, sessionOptions: { args } }
  expect(redact(snapshot, [])).toMatchObject({ snapshot, secrets: new Map() })
})

test('a secret in every key of a state is in no reference either', () => {
  const sessionState = { [secret]: secret }
  const { snapshot, secrets } = redact({ ...plain, sessionState }, [], new Map([['r', secret]]))
  expect(JSON.stringify([snapshot, [...secrets.keys()]])).not.toContain(secret)
})

test('a list stays a list, with the keys within it clean', () => {
  const environment = { A_TOKEN: secret }
  const sessionState = { list: [{ [secret]: 1 }, 'x', 2] }
  const { snapshot } = redact({ ...plain, environment, sessionState }, [])
  expect(snapshot.sessionState).toEqual({ list: [{ [redactedText]: expect.anything() }, 'x', 2] })
})

test('what an error gives away is sought in all else, and what is said of a prompt stays', () => {
  const interactiveState = {
    ...{ isInteractive: true, sessionUnresponsive: false, timeoutCount: 2, promptType: 'yes?' },
    ...{ pendingCommands: ['ls'], unknownCommands: ['make'], setAside: ['rm x'] },
  }
  const errorContext = { errorTimestamp: new Date(0), errorCount: 1 }
  const snapshot = {
    ...{ ...plain, interactiveState, outputBuffer: [`it was ${secret}`] },
    errorContext: { ...errorContext, lastError: `failed: login --password ${secret}` },
  }
  expect(redact(snapshot, []).snapshot).toEqual({
    ...{ ...snapshot, outputBuffer: [`it was ${redactedText}`] },
    errorContext: { ...errorContext, lastError: `failed: login --password ${redactedText}` },
  })
})
