/**
 * Law 8 in the engine: no secret in what is stored, journalled, archived, told, shown or logged, wherever
 * it turns up; and a recovery gets every secret back, or is told that it is lost.
 */
import {
  JournalEntry,
  lost,
  type RunRequest,
  receiptOf,
  type SnapshotUpdate,
} from '@session-recovery/core'
import { memorySecrets } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import {
  alive,
  answered,
  dead,
  diskFull,
  done,
  failed,
  type Script,
  seen,
  started,
  type World,
  world,
} from './scripted-world.js'

const password = 'hunter2-in-the-env'
const token = 'tok-4711-in-the-options'
const key = 'key-0815-in-the-state'
const declared = 'declared-by-the-policy'
const secrets = [password, token, key, declared]
const all = secrets.join(' and ')

const registration = {
  attended: false,
  sessionState: { nested: [{ api_key: key }] },
  sessionOptions: {
    cwd: '/home',
    env: {
      DB_PASSWORD: password,
      DATABASE_URL: `postgres://u:${password}@h/db`,
      PIN: declared,
      LANG: 'C',
    },
    auth: { token },
    note: `the token is ${token}.`,
  },
}
const policy = { secretNames: ['PIN'], storeOutput: true, maxRecoveryAttempts: 2, recoveryDelay: 0 }

/** Every byte that leaves the engine, but for what the driver is asked. */
const everything = async (made: World): Promise<string> => {
  const { sessions, journals, archives, projection } = made.medium
  const shown = [
    [...sessions.values()],
    [...journals.values()],
    [...archives.values()],
    projection,
    made.notices,
    made.logged,
    made.engine.sessions(),
    made.engine.history('s'),
    await made.engine.journal('s'),
    await made.engine.snapshots(),
  ]
  return JSON.stringify(shown)
}

const holdsNone = async (made: World) => {
  const text = await everything(made)
  for (const secret of secrets) expect(text).not.toContain(secret)
  // Something was looked at: what stands beside the secrets is there.
  expect(text).toContain('"LANG":"C"')
}

/** Says every secret in everything a driver can say, until it says that nothing helps. */
const leaky = (): Partial<Script> => {
  const answers = [
    () => done,
    () => Promise.reject(new Error(`it threw ${all}`)),
    () => failed({ detail: `it failed with ${all}` }),
    () => failed({ detail: all, permanent: true }),
  ]
  return {
    run: () => answers.shift()?.() ?? done,
    verify: () => ({
      _tag: 'unproved',
      detail: `no answer to ${all}`,
      evidence: [{ source: 'probe', grade: 'none', trusted: false, detail: all, atMs: 0 }],
    }),
    capture: () => seen('at-prompt', said),
  }
}

const said: SnapshotUpdate = {
  commandHistory: ['ls', `export X=${password}`],
  // Split over two chunks, as a terminal delivers it.
  outputBuffer: [`${token.slice(0, 7)}`, `${token.slice(7)} ${key}`],
  workingDirectory: `/tmp/${declared}`,
  errorContext: { lastError: all, errorTimestamp: new Date(0), errorCount: 1 },
  interactiveState: {
    isInteractive: true,
    pendingCommands: [`mysql -p${password}`],
    unknownCommands: [`curl -H ${token}`],
    setAside: [`login ${password}`],
    sessionUnresponsive: false,
    timeoutCount: 0,
    promptType: `${key}>`,
  },
  shell: {
    shell: 'bash',
    variables: {
      DB_PASSWORD: { attributes: '', value: password },
      words: { attributes: 'a', values: { 0: token, 1: `x${key}` } },
      names: { attributes: 'A', values: { [declared]: '1', PIN: declared } },
    },
    functions: { login: `login () \n{ \n    curl -H ${token}\n}` },
    aliases: { l: `mysql -p${password}` },
    options: {},
    umask: '0022',
    directoryStack: [`/tmp/${declared}`],
    traps: { EXIT: `logout ${key}` },
    lastExitCode: 0,
    omitted: { functions: [key] },
  },
}

const goThroughAll = async (made: World) => {
  await made.time.advance(30_000)
  expect(made.said()).toContain('capture')
  const ended = made.engine.recover('s', `connection with ${all} lost`)
  expect(await answered(made, ended)).toMatchObject({ _tag: 'exhausted' })
}

describe('no secret leaves the engine', () => {
  test.each([true, false])('whatever says it, with output stored: %s', async (storeOutput) => {
    const made = await started(
      { policy: { ...policy, storeOutput }, script: leaky() },
      registration,
    )
    await made.engine.update('s', said)
    await goThroughAll(made)
    expect(made.medium.archives.size).toBe(1)
    expect(await made.engine.snapshot('s')).toMatchObject({
      commandHistory: ['ls', 'export X=[secret]'],
      shell: { aliases: { l: 'mysql -p[secret]' }, umask: '0022' },
    })
    await holdsNone(made)
    await answered(made, made.engine.stop())
    await holdsNone(made)
  })

  test('nor after a restart, when the engine has to ask what the secrets are', async () => {
    const kept = memorySecrets()
    const first = await started({ policy, secrets: kept }, registration)
    first.crash()
    const script = {
      ...leaky(),
      verify: ({ strategy }: { strategy?: unknown }) => (strategy === undefined ? alive : dead),
    }
    const second = world({ policy, secrets: kept, script, after: first })
    await answered(second, second.engine.start())
    await second.time.advance(0)
    await goThroughAll(second)
    await holdsNone(second)
  })

  test('nor in reports and cancellations by the app, nor when a capture fails', async () => {
    const capture = () => Promise.reject(new Error(`cannot see ${all}`))
    const made = await started({ policy, script: { ...leaky(), capture } }, registration)
    made.observe({ _tag: 'changed', sessionId: 's' })
    await made.time.advance(0)
    made.observe({ _tag: 'transport-lost', sessionId: 's', detail: `${all} gone` })
    await made.time.advance(0)
    await made.engine.reset('s')
    await made.engine.reportFailure('s', {
      kind: 'other',
      reason: all,
      interactivity: 'none',
      permanent: false,
      evidence: [{ source: 'host', grade: 'claimed', trusted: false, detail: all, atMs: 0 }],
    })
    await made.engine.cancel('s', `because of ${all}`)
    await holdsNone(made)
  })

  test('nor when somebody says one before the engine has looked at anything', async () => {
    const kept = memorySecrets()
    const first = await started({ policy, secrets: kept }, registration)
    first.crash()
    const options = { policy: { ...policy, resumeOnStart: false }, secrets: kept, after: first }
    for (const say of [
      (made: World) => made.engine.recover('s', all),
      async (made: World) =>
        made.observe({ _tag: 'transport-lost', sessionId: 's', detail: `${all} gone` }),
      async (made: World) => made.observe({ _tag: 'changed', sessionId: 's' }),
      (made: World) => made.engine.unregister('s'),
    ]) {
      const script = {
        ...leaky(),
        capture: () => Promise.reject(new Error(all)),
        detach: () => Promise.reject(new Error(all)),
      }
      const made = world({ ...options, script })
      await answered(made, made.engine.start())
      const saying = say(made)
      await made.time.advance(60_000)
      await saying
      const text = await everything(made)
      for (const secret of secrets) expect(text).not.toContain(secret)
      made.crash()
    }
  })

  test.each(secrets.flatMap((secret) => [secret, `shell of ${secret}`]).concat('PIN=ab12cd34'))(
    'nor as an id: %s is refused by its field alone',
    async (sessionId) => {
      const made = await started({ policy })
      const refused = await made.engine.register(sessionId, registration)
      expect(refused).toMatchObject({ _tag: 'invalid', error: { path: 'sessionId' } })
      expect(JSON.stringify(refused)).not.toContain(sessionId)
      expect(await everything(made)).not.toContain(sessionId)
      expect(await made.engine.register('innocent', registration)).toMatchObject({
        _tag: 'registered',
      })
    },
  )

  test('nor a line that is declared to be idempotent: with a secret in it, it is refused', async () => {
    const made = await started({ policy }, registration)
    for (const line of [`login ${password}`, 'export API_TOKEN=another-one']) {
      const idempotentCommands = ['make', line]
      expect(
        await made.engine.register('t', { ...registration, idempotentCommands }),
      ).toMatchObject({
        _tag: 'invalid',
        error: { path: 'idempotentCommands.1', actual: 'something else' },
      })
    }
    await holdsNone(made)
    expect(await everything(made)).not.toContain('another-one')
  })

  test('nor one that only a command line has ever told', async () => {
    const made = await started({ policy }, registration)
    const spoken = 'only-ever-said-aloud'
    await made.engine.update('s', { commandHistory: [`export SOME_TOKEN=${spoken}`] })
    await made.engine.update('s', { commandHistory: ['ls'] })
    await made.engine.update('s', { outputBuffer: [`${spoken} is wrong`] })
    await answered(made, made.engine.recover('s', `${spoken} was refused`))
    expect(await everything(made)).not.toContain(spoken)
  })

  test('nor a former value of one that was changed', async () => {
    const made = await started({ policy }, registration)
    const environment = { DB_PASSWORD: 'a-new-password', LANG: 'C' }
    await made.engine.update('s', { environment })
    await made.engine.update('s', { environment: { ...environment, DB_PASSWORD: 'the-third-one' } })
    await made.engine.update('s', { environment })
    await made.engine.update('s', {
      commandHistory: [`echo ${password} a-new-password the-third-one`],
    })
    await made.engine.reportFailure('s', `${password} is wrong, so is a-new-password`)
    await holdsNone(made)
    expect(await everything(made)).not.toMatch(/a-new-password|the-third-one/)
  })

  test('nor in the receipt of a recovery, whose commands may hold them', async () => {
    const lines = [`curl -H ${token}`]
    const jobs = { ...lost(all), unknownCommands: lines, setAside: lines }
    const env = { ...lost(all), origins: { [`X_${token}`]: 'host' } }
    const receipt = receiptOf('observed', { jobs, env })
    const verify = () => ({ _tag: 'alive', receipt }) as const
    const made = await started({ policy, script: { verify } }, registration)
    const ended = await answered(made, made.engine.recover('s'))
    expect(ended).toMatchObject({
      receipt: {
        items: {
          jobs: { unknownCommands: ['curl -H [secret]'], setAside: ['curl -H [secret]'] },
          env: { origins: { 'X_[secret]': 'host' } },
        },
      },
    })
    await holdsNone(made)
  })

  test('and a secret that reads like a word of ours changes no decision', async () => {
    const env = { A_TOKEN: 'failed', B_TOKEN: 'restart', C_TOKEN: 'network' }
    const made = await started({ policy }, { sessionOptions: { env } })
    expect(await answered(made, made.engine.recover('s', 'network failed'))).toMatchObject({
      _tag: 'recovered',
      strategy: 'restart',
    })
    expect(made.entries()[1]?.event).toMatchObject({
      failure: { kind: 'network', reason: '[secret] [secret]' },
    })
  })
})

describe('a recovery', () => {
  const snapshotOf = (made: World): RunRequest['snapshot'] => made.runs()[0]?.request.snapshot

  test('gets every secret back, to the letter', async () => {
    const made = await started({ policy }, registration)
    await answered(made, made.engine.recover('s'))
    expect(snapshotOf(made)).toMatchObject({
      environment: registration.sessionOptions.env,
      sessionState: registration.sessionState,
      sessionOptions: registration.sessionOptions,
    })
    expect(made.runs()[0]?.request.lostSecrets).toEqual([])
  })

  test('also after a restart, from whoever keeps them', async () => {
    const kept = memorySecrets()
    const first = await started({ policy, secrets: kept }, registration)
    first.crash()
    const second = world({ policy, secrets: kept, after: first })
    await answered(second, second.engine.start())
    await answered(second, second.engine.recover('s'))
    expect(snapshotOf(second)).toMatchObject({
      environment: registration.sessionOptions.env,
      sessionOptions: registration.sessionOptions,
    })
  })

  test('is told which are lost when nobody kept them', async () => {
    const first = await started({ policy }, registration)
    first.crash()
    const second = world({ policy, after: first })
    await answered(second, second.engine.start())
    await answered(second, second.engine.recover('s'))
    const { lostSecrets, snapshot } = second.runs()[0]?.request ?? {}
    expect(snapshot?.environment).toEqual({ LANG: 'C' })
    expect(lostSecrets?.map((reference) => reference.split('/').slice(1).join('/')).sort()).toEqual(
      [
        'env/DATABASE_URL',
        'env/DB_PASSWORD',
        'env/PIN',
        'options/auth/token',
        'options/env/DATABASE_URL',
        'options/env/DB_PASSWORD',
        'options/env/PIN',
        'options/note',
        'state/nested/0/api_key',
      ],
    )
  })

  test('a keeper of secrets that refuses costs nothing while the engine runs', async () => {
    const refusing = {
      put: (reference: string) => async () =>
        E.left({ _tag: 'SecretMissing' as const, reference, message: 'no' }),
      get: (reference: string) => async () =>
        E.left({ _tag: 'SecretMissing' as const, reference, message: 'no' }),
    }
    const made = await started({ policy, secrets: refusing }, registration)
    await answered(made, made.engine.recover('s'))
    expect(snapshotOf(made)?.environment).toEqual(registration.sessionOptions.env)
    await holdsNone(made)
  })
})

describe('what is cut', () => {
  test('holds no rest of a secret', async () => {
    const secret = 'first-half/second-half'
    const cut = { ...policy, snapshotLimit: { outputBytes: 'second-half and more'.length } }
    const sessionOptions = { env: { LANG: 'C', DB_PASSWORD: secret } }
    const made = await started({ policy: cut }, { sessionOptions })
    await made.engine.update('s', { outputBuffer: [`${secret} and more`] })
    const text = await everything(made)
    expect(text).toContain(' and more')
    expect(text).not.toContain('second-half')
  })
})

describe('free text', () => {
  test('of any length is cut, so that the record stays small', async () => {
    const long = 'x'.repeat(1_000_000)
    const script = { run: () => failed({ detail: long, permanent: true }) }
    const made = await started({ policy, script })
    await answered(made, made.engine.recover('s', long))
    for (const entry of await made.engine.journal('s')) {
      expect(JSON.stringify(JournalEntry.encode(entry)).length).toBeLessThan(40_000)
    }
  })

  test('that the store holds back is told without the secrets', async () => {
    const made = await started({ policy: { ...policy, onStoreFailure: 'halt' } }, registration)
    made.control.refuse = () => diskFull
    await made.engine.update('s', said)
    await made.engine.reportFailure('s', all)
    await holdsNone(made)
  })
})
