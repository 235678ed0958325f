/** No secret is left anywhere in what is kept, and what was taken out comes back to the letter. */
import { deepStrictEqual } from 'node:assert/strict'
import {
  isSecretName,
  isSecretReference,
  RecoverySnapshot,
  redact,
  referencesIn,
  type ShellState,
  scrub,
  secretReference,
  withSecrets,
} from '@session-recovery/core'
import { anyCharacter, arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const anySecret = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'abcdefXYZ0123456789'), minLength: 10, maxLength: 24 }),
  fc
    .string({
      unit: fc.constantFrom(...'ab$&`\'"\\[](){}.*+?^|/ é漢🚀\n\u001b'),
      minLength: 6,
      maxLength: 16,
    })
    .map((tail) => `~S3cr3t~${tail}`),
)
const named = ['DB_PASSWORD', 'apiKey', 'AUTH', 'github_token', 'MY_OWN', 'sshPassphrase']
const declared = ['MY_OWN', 'plainly']
const secretName = fc.constantFrom(...named)

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
const held: ShellState = {
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
const holding = (state: Partial<ShellState>): Partial<RecoverySnapshot> => ({
  shell: { ...held, ...state },
})
const json = (value: unknown): string => JSON.stringify(value)
/** The text as it would stand in JSON. */
const inJson = (text: string): string => json(text).slice(1, -1)

/** Where a secret is declared by its name. */
const homes: Readonly<
  Record<string, (name: string, secret: unknown) => Partial<RecoverySnapshot>>
> = {
  environment: (name, secret) => ({ environment: { [name]: String(secret), PATH: '/bin' } }),
  'a field of the state': (name, secret) => ({ sessionState: { a: [{ [name]: secret, b: 1 }] } }),
  'a list of the options': (name, secret) => ({ sessionOptions: { [name]: ['x', secret] } }),
  'below a name of the options': (name, secret) => ({
    sessionOptions: { [name]: { value: secret } },
  }),
  'a variable of the shell': (name, secret) =>
    holding({ variables: { [name]: { attributes: 'r', value: String(secret) } } }),
  'an array of the shell': (name, secret) =>
    holding({ variables: { [name]: { attributes: 'a', values: { 0: 'x', 1: String(secret) } } } }),
  'a key of an array of the shell': (name, secret) =>
    holding({ variables: { conf: { attributes: 'A', values: { [name]: String(secret) } } } }),
}

/** Where else its text may turn up. */
const leaks: Readonly<Record<string, (text: string) => Partial<RecoverySnapshot>>> = {
  history: (text) => ({ commandHistory: ['ls', `login -p${text} host`] }),
  output: (text) => ({ outputBuffer: [`token: ${text}\r\n`, 'more'] }),
  'output split over chunks': (text) => ({
    outputBuffer: ['x', text.slice(0, 4), text.slice(4), 'y'],
  }),
  'the last error': (text) => ({
    errorContext: { lastError: `bad ${text}`, errorTimestamp: new Date(1), errorCount: 1 },
  }),
  'pending commands and the prompt': (text) => ({
    interactiveState: {
      isInteractive: true,
      pendingCommands: [`curl -H ${text}`],
      promptType: `[${text}]$`,
      sessionUnresponsive: false,
      timeoutCount: 0,
    },
  }),
  'commands of unknown outcome': (text) => ({
    interactiveState: {
      isInteractive: true,
      pendingCommands: [],
      sessionUnresponsive: false,
      timeoutCount: 0,
      unknownCommands: [`curl -H ${text}`],
    },
  }),
  'lines that were set aside': (text) => ({
    interactiveState: {
      isInteractive: true,
      pendingCommands: [],
      sessionUnresponsive: false,
      timeoutCount: 0,
      setAside: [`curl -H ${text}`],
    },
  }),
  'the directory': (text) => ({ workingDirectory: `/tmp/${text}` }),
  'another variable': (text) => ({ environment: { URL: `pg://${text}@host`, HOME: '/root' } }),
  'another field': (text) => ({ sessionState: { args: ['-p', `--pw=${text}`] } }),
  'the name of a field': (text) => ({ sessionState: { [text]: 1 } }),
  'the name of a variable': (text) => ({ environment: { [`X_${text}`]: 'y' } }),
  'another variable of the shell': (text) =>
    holding({
      variables: {
        url: { attributes: '', value: `pg://${text}@host` },
        words: { attributes: 'a', values: { 0: text, 1: `-p${text}` } },
      },
    }),
  'a key of an array of the shell': (text) =>
    holding({ variables: { map: { attributes: 'A', values: { [text]: '1' } } } }),
  'functions, aliases and traps': (text) =>
    holding({
      functions: { login: `login () \n{ \n    curl -u me:${text} host\n}` },
      aliases: { l: `login ${text}`, [text]: 'x' },
      traps: { EXIT: `logout ${text}` },
    }),
  'directories and what was left out': (text) =>
    holding({ directoryStack: ['/', `/tmp/${text}`], omitted: { functions: [text] } }),
}

const both = (a: Partial<RecoverySnapshot>, b: Partial<RecoverySnapshot>): RecoverySnapshot => ({
  ...plain,
  ...a,
  ...b,
  environment: { ...a.environment, ...b.environment },
  sessionState: [a.sessionState ?? null, b.sessionState ?? null],
  ...(a.shell === undefined && b.shell === undefined
    ? {}
    : {
        shell: {
          ...held,
          ...a.shell,
          ...b.shell,
          variables: { ...a.shell?.variables, ...b.shell?.variables },
        },
      }),
})

describe.each(Object.entries(homes))('a secret in %s', (_, home) => {
  test.each(Object.entries(leaks))('is not found in %s', (_where, leak) => {
    holds(
      fc.property(anySecret, secretName, (secret, name) => {
        const snapshot = both(home(name, secret), leak(secret))
        expect(json(snapshot)).toContain(inJson(secret).slice(0, 4))
        const redacted = redact(snapshot, declared)
        expect(json(redacted.snapshot)).not.toContain(inJson(secret))
        expect(redacted.snapshot.outputBuffer.join('')).not.toContain(secret)
        expect([...redacted.secrets.values()]).toContain(secret)
      }),
    )
  })

  const kept = ['another variable', 'another field', 'another variable of the shell'] as const
  test('comes back to the letter, and so does what contains it', () => {
    const leak = fc.constantFrom(...kept)
    const any = [anySecret, secretName, leak, arbitraryOf(RecoverySnapshot)] as const
    holds(
      fc.property(...any, (secret, name, where, rest) => {
        const snapshot = both(both(rest, home(name, secret)), leaks[where]!(secret))
        const { snapshot: free, secrets } = redact(snapshot, declared)
        // A name of the app's own that happens to be a secret's value is not kept, and does not come back.
        fc.pre(!json([free.sessionState, free.sessionOptions]).includes('[secret]":'))
        const back = withSecrets(free, secrets)
        deepStrictEqual(back.environment, snapshot.environment)
        deepStrictEqual(back.sessionState, snapshot.sessionState)
        deepStrictEqual(back.sessionOptions, snapshot.sessionOptions)
        deepStrictEqual(back.shell?.variables, snapshot.shell?.variables)
      }),
    )
  })
})

test('a number under a secret name is a secret, and comes back as a number', () => {
  const numbers = fc.oneof(fc.double(), fc.nat())
  holds(
    fc.property(numbers, (pin) => {
      const snapshot = { ...plain, sessionState: { password: pin, credentials: [{ pin }], on: 1 } }
      const { snapshot: kept, secrets } = redact(snapshot, [])
      expect(secrets.size).toBe(2)
      expect(kept.sessionState).toMatchObject({ on: 1, password: expect.any(String) })
      deepStrictEqual(withSecrets(kept, secrets).sessionState, snapshot.sessionState)
    }),
  )
})

test('a variable that contains a secret comes back whole', () => {
  const environment = { DB_PASSWORD: 'hunter2222', CONNECT: '--pw=hunter2222 -h db' }
  const { snapshot, secrets } = redact({ ...plain, environment }, [])
  expect(json(snapshot)).not.toContain('hunter2222')
  expect(withSecrets(snapshot, secrets).environment).toEqual(environment)
})

test('an address with a password in it is a secret whatever its name', () => {
  const environment = { DATABASE_URL: 'postgres://user:pw@host/db', HOME_URL: 'https://host/a:b' }
  const { snapshot, secrets } = redact({ ...plain, environment }, [])
  expect([...secrets.values()]).toEqual([environment.DATABASE_URL])
  expect(snapshot.environment.HOME_URL).toBe(environment.HOME_URL)
})

test('a secret that was taken out before is sought, too', () => {
  const first = redact({ ...plain, environment: { API_TOKEN: 'hunter2222' } }, [])
  const later = {
    ...first.snapshot,
    outputBuffer: ['echo hunter2222'],
    commandHistory: ['hunter2222'],
  }
  expect(json(redact(later, [], first.secrets).snapshot)).not.toContain('hunter2222')
})

test('to take out twice changes nothing', () => {
  holds(
    fc.property(arbitraryOf(RecoverySnapshot), anySecret, secretName, (rest, secret, name) => {
      const once = redact(both(rest, homes.environment!(name, secret)), declared)
      const twice = redact(once.snapshot, declared, once.secrets)
      deepStrictEqual(twice.snapshot, once.snapshot)
      expect(twice.secrets.size).toBe(0)
    }),
  )
})

test('what has no secret is kept as it is', () => {
  const snapshot: RecoverySnapshot = {
    ...plain,
    environment: { PATH: '/bin', PWD: '/srv', BYPASS: '/usr/x', SSH_AUTH_SOCK: '/run/ssh-agent' },
    sessionState: { a: ['b', 1, new Date(0), null, true] },
    outputBuffer: ['one', 'two'],
    commandHistory: ['ls'],
  }
  const { snapshot: kept, secrets } = redact(snapshot, [])
  deepStrictEqual(kept, snapshot)
  expect(secrets.size).toBe(0)
})

test('a short secret is taken from its place, and not sought in innocent text', () => {
  const { snapshot } = redact(
    { ...plain, environment: { DB_PASSWORD: 'on' }, outputBuffer: ['come on'] },
    [],
  )
  expect(snapshot.environment.DB_PASSWORD).toBe(secretReference('s', 'env', 'DB_PASSWORD'))
  expect(snapshot.outputBuffer).toEqual(['come on'])
})

describe('references', () => {
  test('differ wherever session or path differ', () => {
    const path = fc.array(fc.string({ unit: anyCharacter, maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    })
    holds(
      fc.property(path, path, (a, b) => {
        const [x, y] = [a, b].map(([id = '', ...rest]) => secretReference(id, ...rest))
        expect(x === y).toBe(json(a) === json(b))
        expect(isSecretReference(x ?? '')).toBe(true)
      }),
      1_000,
    )
    expect(secretReference('\ud800', 'a/b')).not.toBe(secretReference('\ud800', 'a', 'b'))
  })

  test('are all found, once each', () => {
    const snapshot = {
      ...plain,
      environment: { A_TOKEN: 'one', B_TOKEN: 'two' },
      sessionOptions: { password: 'three' },
      ...holding({ variables: { token: { attributes: '', value: 'four' } } }),
    }
    const { snapshot: kept, secrets } = redact(snapshot, [])
    expect([...referencesIn(kept)].sort()).toEqual([...secrets.keys()].sort())
  })

  test('that nobody resolves leave their variable out, and only theirs', () => {
    const environment = { A_TOKEN: 'one-secret', B_TOKEN: 'two-secret', HOME: '/root' }
    const { snapshot, secrets } = redact({ ...plain, environment }, [])
    const reference = secretReference('s', 'env', 'A_TOKEN')
    const known = new Map([...secrets].filter(([key]) => key !== reference))
    expect(withSecrets(snapshot, known).environment).toEqual({
      B_TOKEN: 'two-secret',
      HOME: '/root',
    })
  })

  test('that nobody resolves stay where they stand in a shell, so that they can be named', () => {
    const variables = { token: { attributes: 'A', values: { a: 'one-secret', b: 'two-secret' } } }
    const { snapshot, secrets } = redact({ ...plain, ...holding({ variables }) }, [])
    const reference = secretReference('s', 'shell', 'variables', 'token', 'a')
    const known = new Map([...secrets].filter(([key]) => key !== reference))
    expect(withSecrets(snapshot, known).shell?.variables).toEqual({
      token: { attributes: 'A', values: { a: reference, b: 'two-secret' } },
    })
  })

  test('that a program wrote into its environment resolve to nobody’s secret', () => {
    const theirs = secretReference('other', 'env', 'DB_PASSWORD')
    const snapshot = {
      ...plain,
      environment: { INNOCENT: theirs },
      sessionState: { note: theirs },
      ...holding({ variables: { innocent: { attributes: '', value: theirs } } }),
    }
    const { snapshot: kept, secrets } = redact(snapshot, [])
    expect(referencesIn(kept)).not.toContain(theirs)
    const all = new Map([...secrets, [theirs, 'their password']])
    deepStrictEqual(withSecrets(kept, all), snapshot)
  })
})

test.each([
  'DB_PASSWORD',
  'DB_PASSWORD_OLD',
  'passwd',
  'PGPASSWORD',
  'DB_PASS',
  'dbPass',
  'passphrase',
  'CLIENT_SECRET',
  'GITHUB_TOKEN',
  'apiKey',
  'api-key',
  'X-API-KEY',
  'AWS_SECRET_ACCESS_KEY',
  'privateKey',
  'credentials',
  'AUTH',
  'Authorization',
  'cookie',
  'sessionKey',
  'SENTRY_DSN',
  'MYSQL_PWD',
])('%s names a secret', (name) => {
  expect(isSecretName(name, [])).toBe(true)
})

test.each([
  'PATH',
  'PWD',
  'OLDPWD',
  'HOME',
  'BYPASS',
  'compass',
  'passive',
  'SSH_AUTH_SOCK',
  'key',
  'author',
])('%s does not, unless it is declared', (name) => {
  expect(isSecretName(name, [])).toBe(false)
  expect(isSecretName(name, [name])).toBe(true)
})

test('scrubbing takes the longest first, and reaches every text of plain data', () => {
  const secrets = new Map([
    ['a', 'hunter'],
    ['b', 'hunter2222'],
  ])
  expect(scrub('hunter2222 hunter', secrets)).toBe('[secret] [secret]')
})
