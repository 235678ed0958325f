/** Where a secret may stand besides under a name of its own, and what is remembered of those that were seen. */
import {
  type RecoverySnapshot,
  redact,
  redactedText,
  referencesIn,
  rememberSecret,
  rememberSpoken,
  type ShellState,
  secretReference,
  withSecrets,
} from '@session-recovery/core'
import { expect, test } from 'vitest'

const secret = 'Qx7Lm2Zp9'

const plain: RecoverySnapshot = {
  sessionId: 's',
  timestamp: new Date(0),
  sessionState: null,
  sessionOptions: null,
  environment: {},
  workingDirectory: '/',
  commandHistory: [],
  outputBuffer: [],
}
const shell: ShellState = {
  shell: 'bash',
  variables: {},
  functions: {},
  aliases: {},
  options: {},
  umask: '0022',
  directoryStack: [],
  traps: {},
  lastExitCode: 0,
}

/** Where it is given to a name, and comes back to the letter. */
const given: Readonly<Record<string, Partial<RecoverySnapshot>>> = {
  'the command': { sessionOptions: { command: `run --api-token=${secret} now` } },
  'an argument of its own': { sessionOptions: { args: ['run', '--password', secret, 'now'] } },
  'an argument after one dash': { sessionState: { argv: ['-token', secret] } },
  'a variable that holds a command': { environment: { RUN: `curl --password ${secret}` } },
  'an address': { environment: { HOME_PAGE: `https://me:${secret}@host/` } },
  'a text of JSON': { environment: { CONFIG: JSON.stringify({ api_key: secret }) } },
}

test.each(Object.entries(given))('in %s: taken out, sought elsewhere, put back', (_, home) => {
  const snapshot = { ...plain, ...home, outputBuffer: [`it is ${secret}!`] }
  const { snapshot: clean, secrets } = redact(snapshot, [])
  expect(JSON.stringify(clean)).not.toContain(secret)
  expect(clean.outputBuffer).toEqual([`it is ${redactedText}!`])
  const back = withSecrets({ ...clean, outputBuffer: snapshot.outputBuffer }, secrets)
  expect(back).toEqual(snapshot)
})

test('an option without a secret name gives nothing away, nor does what looks one up', () => {
  const sessionOptions = {
    args: ['--color', 'always', '--password'],
    command: 'run --token $TOKEN',
  }
  expect(redact({ ...plain, sessionOptions }, []).snapshot.sessionOptions).toEqual(sessionOptions)
})

test('in an alias or a trap', () => {
  const aliases = { login: `mysql --password=${secret}` }
  const traps = { EXIT: `export API_TOKEN=${secret}` }
  const { snapshot } = redact({ ...plain, shell: { ...shell, aliases, traps } }, [])
  expect(JSON.stringify(snapshot)).not.toContain(secret)
})

test('in a key: the key is changed, and two that differed are still two', () => {
  const snapshot = {
    ...plain,
    environment: { A_TOKEN: secret, B_TOKEN: 'another-one', [`X_${secret}`]: '1' },
    sessionState: { [secret]: 1, 'another-one': 2, list: [{ [`a${secret}`]: secret }] },
  }
  const { snapshot: clean, secrets } = redact(snapshot, [])
  expect(JSON.stringify(clean)).not.toMatch(/Qx7Lm2Zp9|another-one/)
  expect(JSON.stringify([...secrets.keys()])).not.toMatch(/Qx7Lm2Zp9|another-one/)
  const back = withSecrets(clean, secrets).sessionState as object
  expect(Object.values(back).slice(0, 2)).toEqual([1, 2])
  // What was taken out once stays as it is.
  expect(redact(clean, [], secrets).snapshot).toEqual(clean)
})

test('keys that are the same without their secrets are numbered, and no key takes the place of another', () => {
  const keysOf = (sessionState: object): readonly string[] => {
    const snapshot = { ...plain, environment: { A_TOKEN: secret, B_TOKEN: 'another-one' } }
    const { snapshot: clean } = redact({ ...snapshot, sessionState }, [])
    return Object.keys(clean.sessionState as object)
  }
  expect(keysOf({ [secret]: 1, x: 2 })).toEqual(['[secret]', 'x'])
  expect(keysOf({ [secret]: 1, 'another-one': 2 })).toEqual(['[secret]', '[secret] 1'])
  expect(keysOf({ [secret]: 1, '[secret]': 2 })).toEqual(['[secret]', '[secret] 1'])
  expect(keysOf({ '[secret] 2': 0, [secret]: 1, 'another-one': 2 })).toEqual([
    '[secret] 2',
    '[secret]',
    '[secret] 3',
  ])
})

test('in a key of an array of the shell, whose name makes its value one, too', () => {
  const values = { [`the token of ${secret}`]: 'a-value' }
  const variables = {
    A_TOKEN: { attributes: '', value: secret },
    NAMES: { attributes: 'A', values },
  }
  const { snapshot, secrets } = redact({ ...plain, shell: { ...shell, variables } }, [
    'the token of',
  ])
  expect(JSON.stringify([snapshot, [...secrets.keys()]])).not.toContain(secret)
})

test('as a number that a name gives away elsewhere', () => {
  const sessionState = { pin: 48_291_377, sum: 48_291_377, more: 482_913_771 }
  const { snapshot, secrets } = redact({ ...plain, sessionState }, ['pin'])
  expect(JSON.stringify(snapshot)).not.toMatch(/\b48291377\b/)
  expect(snapshot.sessionState).toMatchObject({ more: 482_913_771 })
  expect(withSecrets(snapshot, secrets).sessionState).toEqual(sessionState)
})

test.each([
  ['at the beginning', `${secret.slice(4)} and more`, `${redactedText} and more`],
  ['at the end', `and more ${secret.slice(0, 5)}`, `and more ${redactedText}`],
  ['at both', `${secret.slice(3)}${secret.slice(0, 6)}`, `${redactedText}${redactedText}`],
  ['too little of it to tell', `${secret.slice(-3)} x`, `${secret.slice(-3)} x`],
])('in output that was cut %s', (_, output, clean) => {
  const cut = { ...plain, environment: { A_TOKEN: secret }, outputBuffer: [output] }
  expect(redact(cut, []).snapshot.outputBuffer.join('')).toBe(clean)
})

test('what was taken out of a line is never taken for a secret itself', () => {
  const lines = { ...plain, commandHistory: [`export A_TOKEN=${secret}`, 'echo [secret]'] }
  let { snapshot } = redact(lines, [])
  for (let i = 0; i < 3; i++) {
    const again = redact(snapshot, [])
    expect(again.spoken).toEqual([])
    expect(again.snapshot).toEqual(snapshot)
    snapshot = again.snapshot
  }
  expect(snapshot.commandHistory).toEqual(['export A_TOKEN=[secret]', 'echo [secret]'])
})

test('every former value is remembered once, and what lines gave away, up to a bound', () => {
  const known = new Map<string, string>()
  for (const value of ['first', 'second', 'third', 'second', 'first']) {
    rememberSecret(known, 'reference', value)
  }
  expect(known.get('reference')).toBe('first')
  expect([...known.values()].sort()).toEqual(['first', 'first', 'second', 'third'])
  rememberSpoken(known, ['first', 'said', 'said'])
  expect([...known.values()].filter((value) => value === 'said')).toEqual(['said'])
  expect([...known.values()].filter((value) => value === 'first').length).toBeLessThan(3)
  rememberSpoken(
    known,
    Array.from({ length: 1_500 }, (_, i) => `said ${i}`),
  )
  expect([...known.values()].filter((value) => value.startsWith('said')).length).toBe(1_000)
  expect(known.get('reference')).toBe('first')
})

test('references are found wherever they stand, and those of numbers that nobody resolves stay', () => {
  const snapshot: RecoverySnapshot = {
    ...plain,
    environment: { A_TOKEN: secret, EDITOR: 'vi' },
    sessionState: { pin: 48_291_377, of: ['x', null, 5, { cookie: 'a-cookie' }] },
    sessionOptions: { when: new Date(0), token: 'another-one' },
  }
  const { snapshot: clean, secrets } = redact(snapshot, ['pin'])
  const references = referencesIn(clean)
  expect([...references].sort()).toEqual([...secrets.keys()].sort())
  expect(references.length).toBe(4)
  const variables = { API_KEY: { attributes: 'x', value: secret } }
  const held = redact({ ...plain, shell: { ...shell, variables } }, [])
  expect(referencesIn(held.snapshot)).toEqual([...held.secrets.keys()])
  const lost = withSecrets(clean, new Map())
  expect(lost.environment).toEqual({ EDITOR: 'vi' })
  expect(lost.sessionState).toEqual(clean.sessionState)
})

test('different paths never share a reference', () => {
  expect(secretReference('s', 'a', 'b')).toBe('session-recovery-secret:s/a/b')
  expect(secretReference('s', 'ab')).not.toBe(secretReference('s', 'a', 'b'))
  expect(secretReference('s', 'a/b')).not.toBe(secretReference('s', 'a', 'b'))
  // Each character that is escaped takes as many places as any other.
  expect(secretReference('s', '\u00020')).not.toBe(secretReference('s', ' '))
})
