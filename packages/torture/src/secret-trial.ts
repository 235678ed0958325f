/**
 * Lets an engine and the drop-in class live through everything with sessions full of secrets, gathers
 * every byte that is stored, told, shown and logged, and looks for them there.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { type RecoveryEventMap, SessionRecovery } from '@session-recovery/adapter-events'
import { fileStore } from '@session-recovery/adapter-fs'
import { startInspector } from '@session-recovery/adapter-inspect'
import {
  type Driver,
  type DriverError,
  type Logger,
  type Observation,
  type Policy,
  policyFrom,
  type RunOutcome,
  recoveryStrategies,
  type Secrets,
  type Verdict,
} from '@session-recovery/core'
import { createEngine, type Engine, memorySecrets } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { WebSocket } from 'ws'
import { type Saying, sayingOf } from './secret-carrier.js'
import { declaredIn, formsOf, type Secret, secretsOf } from './secret-value.js'

// ------------------------------------------------------------------------------------------ model

export interface SecretTrial {
  readonly secrets: number
  /** In how many bytes they were looked for. */
  readonly bytes: number
  /** What was found, and where; no secret itself. */
  readonly found: readonly string[]
  /** Places in which nothing was to be looked at: then the trial proves nothing of them. */
  readonly silent: readonly string[]
}

/** Everything that was let out, by where. */
type Place =
  | 'store'
  | 'archive'
  | 'notice'
  | 'log'
  | 'status'
  | 'journal'
  | 'snapshot'
  | 'inspector'
  | 'event'
  | 'answer'
type Gathered = Record<Place, string[]>

const places = (): Gathered => ({
  store: [],
  archive: [],
  notice: [],
  log: [],
  status: [],
  journal: [],
  snapshot: [],
  inspector: [],
  event: [],
  answer: [],
})

// ------------------------------------------------------------------------------------------ trial

/** One trial with `count` secrets, in `directory`, which is made and removed. */
export const secretTrial = async (
  count: number,
  seed: number,
  directory: string,
): Promise<SecretTrial> => {
  const secrets = secretsOf(count, seed)
  const saying = sayingOf(secrets, seed, true)
  const gathered = places()
  const policy = policyOf(secrets)
  mkdirSync(directory, { recursive: true })
  try {
    const kept = memorySecrets()
    await firstLife(saying, policy, kept, join(directory, 'engine'), gathered)
    await secondLife(saying, policy, kept, join(directory, 'engine'), gathered)
    await classLife(sayingOf(secrets, seed, false), secrets, join(directory, 'class'), gathered)
    gatherFiles(directory, gathered)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
  return sought(secrets, gathered)
}

const policyOf = (secrets: readonly Secret[]): Policy => {
  const made = policyFrom({
    secretNames: declaredIn(secrets),
    storeOutput: true,
    maxRecoveryAttempts: 2,
    recoveryDelay: 0,
    snapshotInterval: 0,
    resumeOnStart: false,
    snapshotLimit: { historyLines: 100, outputBytes: 300 },
  })
  if (E.isLeft(made)) throw new Error(made.left.message)
  return made.right
}

/** Everything a driver can say, one after the other, with the secrets in it. */
const talking = ({ text, evidence, receipt, update }: Saying) => {
  const done: RunOutcome = { _tag: 'done', detail: text }
  const outcomes: (() => RunOutcome)[] = [
    () => done,
    () => ({ _tag: 'failed', detail: text }),
    () => {
      throw new Error(text)
    },
    () => ({ _tag: 'not-applicable', detail: text }),
    () => ({ _tag: 'failed', detail: text, permanent: true }),
  ]
  let listener: (observation: Observation) => void = () => {}
  let heals = false
  const throws = (): never => {
    throw new Error(text)
  }
  const driver: Driver = {
    name: 'talking',
    supports: { strategies: new Set(recoveryStrategies), capture: true, proof: 'observed' },
    watch: (listen) => {
      listener = listen
      return () => {}
    },
    run: () => async () => E.right(heals ? done : (outcomes.shift() ?? throws)()),
    verify: () => async (): Promise<E.Either<DriverError, Verdict>> =>
      E.right(
        heals
          ? { _tag: 'alive', receipt }
          : { _tag: 'unproved', detail: text, evidence: [evidence] },
      ),
    capture: () => async () =>
      heals
        ? E.right({ update, foreground: { kind: 'unknown', reasons: [text] } })
        : E.left({ _tag: 'DriverError', message: text }),
    detach: async () => {
      throw new Error(text)
    },
  }
  return {
    driver,
    observe: (observation: Observation) => listener(observation),
    heal: () => {
      heals = true
    },
  }
}

const loggerInto =
  ({ log }: Gathered): Logger =>
  (...line) =>
    void log.push(shown(line))

/** As a program prints it, and as JSON: what one form hides the other may show. */
const shown = (value: unknown): string =>
  `${JSON.stringify(value)}\n${inspect(value, { depth: 20, maxArrayLength: null, maxStringLength: null, breakLength: Number.POSITIVE_INFINITY })}`

const patienceMs = 10_000

const until = async (holds: () => boolean): Promise<void> => {
  const beganMs = performance.now()
  while (!holds()) {
    if (performance.now() - beganMs > patienceMs) throw new Error('it did not come to pass')
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

const firstLife = async (
  saying: Saying,
  policy: Policy,
  secrets: Secrets,
  directory: string,
  gathered: Gathered,
): Promise<void> => {
  const { driver, observe, heal } = talking(saying)
  const logger = loggerInto(gathered)
  const store = fileStore({ directory, secretNames: policy.secretNames, logger })
  const engine = createEngine({ policy, driver, store, secrets, logger })
  const inspector = await startInspector({ policy, logger })()
  if (E.isLeft(inspector)) throw new Error(inspector.left.message)
  const viewer = await viewerOf(inspector.right.url, gathered.inspector)
  let captures = 0
  engine.subscribe((notice) => {
    gathered.notice.push(shown(notice))
    if (notice._tag === 'captured' || notice._tag === 'capture-failed') captures += 1
  })
  engine.subscribe(inspector.right.sink)
  const answer = (value: unknown) => void gathered.answer.push(shown(value))
  await engine.start()
  answer(await engine.register('s', saying.registration))
  answer(await engine.update('s', saying.update))
  answer(await engine.update('s', { environment: saying.changed }))
  answer(await engine.update('s', saying.update))
  observe({ _tag: 'changed', sessionId: 's' })
  await until(() => captures >= 4)
  answer(await engine.recover('s', saying.text))
  answer(await engine.reset('s'))
  const cancelled = engine.recover('s', saying.failure)
  answer(await engine.cancel('s', saying.text))
  answer(await cancelled)
  heal()
  answer(await engine.recover('s', saying.failure))
  const before = captures
  observe({ _tag: 'changed', sessionId: 's' })
  await until(() => captures > before)
  observe({ _tag: 'transport-lost', sessionId: 's', detail: saying.text })
  answer(await engine.recover('s', saying.text))
  await gather(engine, gathered)
  await engine.stop()
  await viewer()
  await inspector.right.close()
}

/** The engine starts anew and is told before it has looked at anything. */
const secondLife = async (
  saying: Saying,
  policy: Policy,
  secrets: Secrets,
  directory: string,
  gathered: Gathered,
): Promise<void> => {
  const { driver, observe, heal } = talking(saying)
  const logger = loggerInto(gathered)
  const store = fileStore({ directory, secretNames: policy.secretNames, logger })
  const engine = createEngine({ policy, driver, store, secrets, logger })
  engine.subscribe((notice) => void gathered.notice.push(shown(notice)))
  await engine.start()
  heal()
  observe({ _tag: 'transport-lost', sessionId: 's', detail: saying.text })
  gathered.answer.push(shown(await engine.recover('s', saying.text)))
  await gather(engine, gathered)
  gathered.answer.push(shown(await engine.unregister('s')))
  await engine.stop()
}

const gather = async (engine: Engine, gathered: Gathered): Promise<void> => {
  gathered.status.push(shown([engine.sessions(), engine.stats(), engine.history('s')]))
  gathered.journal.push(shown(await engine.journal('s')))
  gathered.snapshot.push(shown(await engine.snapshots()))
}

const viewerOf = async (url: string, into: string[]): Promise<() => Promise<void>> => {
  const socket = new WebSocket(url)
  socket.on('message', (data) => into.push(String(data)))
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })
  return () =>
    new Promise((resolve) => {
      socket.once('close', () => resolve())
      socket.close()
    })
}

const tidings: readonly (keyof RecoveryEventMap)[] = [
  'started',
  'stopped',
  'session-registered',
  'session-unregistered',
  'snapshot-updated',
  'recovery-max-attempts',
  'recovery-started',
  'recovery-success',
  'recovery-error',
  'recovery-strategy-attempt',
  'recovery-fallback',
  'interactive-state-updated',
]

const classLife = async (
  saying: Saying,
  secrets: readonly Secret[],
  directory: string,
  gathered: Gathered,
): Promise<void> => {
  const recovery = new SessionRecovery(
    { persistencePath: directory, snapshotInterval: 0, recoveryDelay: 0, maxRecoveryAttempts: 1 },
    {
      secretNames: declaredIn(secrets),
      storeOutput: true,
      snapshotLimit: { historyLines: 100, outputBytes: 300 },
      logger: loggerInto(gathered),
    },
  )
  for (const event of tidings) {
    recovery.on(event, (...told: unknown[]) => void gathered.event.push(shown(told)))
  }
  for (const event of ['session-restart-request', 'session-restore-request'] as const) {
    recovery.on(event, () => {
      throw new Error(text)
    })
  }
  const { registration, text } = saying
  const { shell: _, ...change } = saying.update
  await recovery.start()
  await recovery.registerSession('s', registration.sessionState, registration.sessionOptions)
  await recovery.updateSessionSnapshot('s', change)
  // What has the wrong form is refused; that it is said must not say what stood there.
  await recovery
    .updateSessionSnapshot('s', { commandHistory: text, workingDirectory: '/' } as never)
    .catch(() => undefined)
  await recovery.updateSessionSnapshot('s', { unknown: 1, sessionOptions: text } as never)
  await recovery.updateSessionSnapshot('s', { environment: saying.changed })
  await recovery.updateSessionSnapshot('s', change)
  await recovery.recoverSession('s', text)
  gathered.status.push(shown(recovery.getRecoveryStatistics()))
  gathered.status.push(shown(recovery.getSessionRecoveryHistory('s')))
  await recovery.destroy()
}

// --------------------------------------------------------------------------------------- to look

const gatherFiles = (directory: string, gathered: Gathered): void => {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const into = path.includes('/archives/') ? gathered.archive : gathered.store
    into.push(entry.isFile() ? readFileSync(path, 'utf8') : path)
  }
}

const sought = (secrets: readonly Secret[], gathered: Gathered): SecretTrial => {
  const found: string[] = []
  let bytes = 0
  const silent: string[] = []
  for (const [place, texts] of Object.entries(gathered)) {
    const all = texts.join('\n')
    bytes += all.length
    if (all.length === 0) silent.push(place)
    for (const { name, value } of secrets) {
      const form = formsOf(value).findIndex((one) => all.includes(one))
      if (form >= 0) found.push(`${name} in ${place}${form === 0 ? '' : `, form ${form}`}`)
    }
  }
  return { secrets: secrets.length, bytes, found, silent }
}
