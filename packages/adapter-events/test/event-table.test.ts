/**
 * The tables of docs/event.md are true: each row about an outcome is played and what was told is compared
 * with it; each event that is told carries the fields its row names.
 */
import type { RecoveryStrategy, Store, StoreError } from '@session-recovery/core'
import { recoveryStrategies } from '@session-recovery/core'
import { memoryStore } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { namesIn, tableOf } from './event-table.js'
import { payloadOf, planOf, requests, type Stage, stage } from './stage.js'

const local = { command: 'bash', cwd: '/srv', env: { EDITOR: 'vi' } }
const remote = { ...local, sshOptions: { host: 'far' } }

const evidence = () => ({ alive: true })
const acknowledge = () => undefined
const refuse = () => {
  throw new Error('no')
}
const never = () => new Promise(() => {})

/** Plays an outcome; what was told before `heard()` was called last does not count. */
type Scene = () => Promise<{ readonly seen: Stage; readonly recovered?: boolean }>

interface Setting {
  readonly config?: Parameters<typeof stage>[0]
  readonly options?: Parameters<typeof stage>[1]
  readonly strategy?: RecoveryStrategy
  readonly answers?: Readonly<Record<string, () => unknown>>
  readonly session?: unknown
}

/** A session `a` on a stage of one strategy; a host that answers as `answers` says. */
const set = async (setting: Setting = {}): Promise<Stage> => {
  const { strategy = 'restart', answers = {}, session = local } = setting
  const seen = stage(setting.config, { ...planOf(strategy), ...setting.options })
  for (const [event, answer] of Object.entries(answers)) seen.answer(event as never, answer)
  await seen.recovery.registerSession('a', {}, session)
  seen.heard()
  return seen
}

const once = { config: { maxRecoveryAttempts: 1 } }

/** One attempt at `a`; time is given to those who never answer. */
const attempt =
  (setting: Setting): Scene =>
  async () => {
    const seen = await set(setting)
    const ended = seen.recovery.recoverSession('a', 'it broke')
    await seen.time.advance(30_000)
    return { seen, recovered: await ended }
  }

const broken: StoreError = {
  _tag: 'StoreUnavailable',
  operation: 'write',
  code: 'ENOSPC',
  message: 'no space left',
}
const refuseTo = async () => E.left(broken)
/** A store that refuses to archive. */
const withoutArchive = (): Store => ({ ...memoryStore(), archive: () => refuseTo })
/** A store that refuses every commit but the first. */
const withoutRoom = (): Store => {
  const store = memoryStore()
  let commits = 0
  return {
    ...store,
    commit: (commit) => {
      commits += 1
      return commits === 1 ? store.commit(commit) : refuseTo
    },
  }
}

const scenes: Readonly<Record<string, Scene>> = {
  started: async () => {
    const seen = stage()
    await seen.recovery.start()
    return { seen }
  },
  stopped: async () => {
    const seen = stage()
    await seen.recovery.start()
    seen.heard()
    await seen.recovery.stop()
    return { seen }
  },
  registered: async () => {
    const seen = stage()
    await seen.recovery.registerSession('a', {}, local)
    return { seen }
  },
  'registered again': async () => {
    const seen = await set()
    await seen.recovery.registerSession('a', {}, local)
    return { seen }
  },
  unregistered: async () => {
    const seen = await set()
    await seen.recovery.unregisterSession('a')
    return { seen }
  },
  updated: async () => {
    const seen = await set()
    await seen.recovery.updateSessionSnapshot('a', { workingDirectory: '/tmp' })
    return { seen }
  },
  'dialogue updated': async () => {
    const seen = await set()
    await seen.recovery.updateInteractiveState('a', { isInteractive: true })
    return { seen }
  },
  captured: async () => {
    const seen = await set({ config: { snapshotInterval: 100 } })
    seen.answer('snapshot-request', ({ callback }: { callback: (update: unknown) => void }) =>
      callback({ workingDirectory: '/tmp' }),
    )
    await seen.time.advance(100)
    return { seen }
  },
  'capture without an answer': async () => {
    const seen = await set({ config: { snapshotInterval: 100 } })
    seen.answer('snapshot-request', () => undefined)
    await seen.time.advance(100)
    return { seen }
  },
  'recovered, with evidence': attempt({
    answers: { 'session-restart-request': acknowledge, 'session-verify-request': evidence },
  }),
  'recovered, on claims (`acceptClaims`)': attempt({
    options: { acceptClaims: true },
    answers: { 'session-restart-request': acknowledge },
  }),
  'not alive, no attempt left': attempt({
    ...once,
    answers: {
      'session-restart-request': acknowledge,
      'session-verify-request': () => ({ alive: false }),
    },
  }),
  'only claimed, no attempt left': attempt({
    ...once,
    answers: { 'session-restart-request': acknowledge },
  }),
  'failed, no attempt left': attempt({ ...once, answers: { 'session-restart-request': refuse } }),
  'timed out, no attempt left': attempt({ ...once, answers: { 'session-restart-request': never } }),
  unsupported: attempt({}),
  'not applicable (`reconnect`, local)': attempt({
    strategy: 'reconnect',
    answers: { 'ssh-reconnect-request': acknowledge },
  }),
  'not applicable (`command-retry`, nothing pending)': attempt({
    strategy: 'command-retry',
    answers: { 'session-command-retry-request': acknowledge },
  }),
  'attempt failed, another follows': async () => {
    const seen = await set({ answers: { 'session-restart-request': refuse } })
    return { seen, recovered: await seen.recovery.recoverSession('a') }
  },
  'asked while the next attempt is waited for': async () => {
    const seen = await set({
      answers: { 'session-restart-request': acknowledge, 'session-verify-request': evidence },
    })
    seen.recovery.prependOnceListener('session-restart-request', refuse)
    await seen.recovery.recoverSession('a')
    seen.heard()
    const second = seen.recovery.recoverSession('a')
    await seen.time.advance(1_000)
    return { seen, recovered: await second }
  },
  'asked while an attempt is under way': async () => {
    const seen = await set({ answers: { 'session-restart-request': never } })
    void seen.recovery.recoverSession('a')
    await seen.time.advance(1)
    seen.heard()
    return { seen, recovered: await seen.recovery.recoverSession('a') }
  },
  'budget used up by earlier incidents': async () => {
    const seen = await set({
      ...once,
      answers: { 'session-restart-request': acknowledge, 'session-verify-request': evidence },
    })
    await seen.recovery.recoverSession('a')
    seen.heard()
    return { seen, recovered: await seen.recovery.recoverSession('a') }
  },
  'asked when exhausted': async () => {
    const seen = await set()
    await seen.recovery.recoverSession('a')
    seen.heard()
    return { seen, recovered: await seen.recovery.recoverSession('a') }
  },
  'cancelled: unregistered while recovering': async () => {
    const seen = await set({ answers: { 'session-restart-request': never } })
    const ended = seen.recovery.recoverSession('a')
    await seen.time.advance(1)
    seen.heard()
    await seen.recovery.unregisterSession('a')
    return { seen, recovered: await ended }
  },
  'stopped while recovering': async () => {
    const seen = await set({ answers: { 'session-restart-request': never } })
    await seen.recovery.start()
    const ended = seen.recovery.recoverSession('a')
    await seen.time.advance(1)
    seen.heard()
    await seen.recovery.stop()
    return { seen, recovered: await ended }
  },
  'not registered': async () => {
    const seen = await set()
    return { seen, recovered: await seen.recovery.recoverSession('b') }
  },
  disabled: async () => {
    const seen = await set({ config: { enabled: false } })
    return { seen, recovered: await seen.recovery.recoverSession('a') }
  },
  'not running': async () => {
    const seen = await set()
    await seen.recovery.start()
    await seen.recovery.stop()
    seen.heard()
    return { seen, recovered: await seen.recovery.recoverSession('a') }
  },
  'the store refused the report': () =>
    attempt({
      options: { store: withoutRoom(), onStoreFailure: 'halt' },
      answers: { 'session-restart-request': acknowledge },
    })(),
  'the store refused the archive': () => attempt({ options: { store: withoutArchive() } })(),
}

describe('what comes of what', () => {
  const rows = tableOf('outcomes')

  test('every outcome has a row, and every row is played', () => {
    expect(rows.map(([outcome]) => outcome)).toEqual(Object.keys(scenes))
  })

  test.each(rows)('%s', async (outcome, events, answer) => {
    const { seen, recovered } = await scenes[outcome ?? '']!()
    expect(seen.heard()).toEqual(namesIn(events))
    expect(recovered === undefined ? [] : [String(recovered)]).toEqual(namesIn(answer))
    await seen.recovery.destroy()
    expect(seen.pendingTimers()).toBe(0)
  })
})

test('persistence off: no archive, and the message says so', async () => {
  const { seen } = await attempt({})()
  expect(payloadOf(seen, 'recovery-fallback')).toMatchObject({
    archiveLocation: null,
    message: expect.stringContaining('Data is not archived: persistence is off.'),
  })
})

describe('what each strategy asks', () => {
  const rows = tableOf('strategies')

  test('every strategy has a row', () => {
    expect(rows.flatMap(([strategy]) => namesIn(strategy)).sort()).toEqual(
      [...recoveryStrategies].sort(),
    )
  })

  test.each(rows)('%s', async (strategyCell, eventCell) => {
    const [strategy] = namesIn(strategyCell)
    const [event] = namesIn(eventCell)
    if (strategy === 'fallback') return expect(event).toBe('recovery-fallback')
    const seen = await set({
      ...once,
      strategy: strategy as RecoveryStrategy,
      session: remote,
      answers: Object.fromEntries(requests.map((name) => [name, acknowledge])),
    })
    await seen.recovery.updateInteractiveState('a', { pendingCommands: ['make'] })
    seen.heard()
    await seen.recovery.recoverSession('a')
    expect(seen.heard()).toEqual([
      'recovery-started',
      'recovery-strategy-attempt',
      event,
      'recovery-strategy-attempt',
      'recovery-fallback',
    ])
  })
})

describe('what each event carries', () => {
  /** The seed's events and fields, in its order of emission. */
  const seedFields: Readonly<Record<string, readonly string[]>> = {
    started: [],
    stopped: [],
    'session-registered': ['sessionId', 'snapshot'],
    'session-unregistered': ['sessionId'],
    'snapshot-updated': ['sessionId', 'snapshot'],
    'recovery-max-attempts': ['sessionId', 'attempts'],
    'recovery-started': ['sessionId', 'attemptNumber', 'plan', 'failureReason'],
    'recovery-success': ['sessionId', 'attemptNumber', 'plan'],
    'recovery-error': ['sessionId', 'attemptNumber', 'error'],
    'recovery-strategy-attempt': ['sessionId', 'strategy', 'message'],
    'session-restart-request': ['sessionId', 'sessionOptions', 'restoreState'],
    'ssh-reconnect-request': ['sessionId', 'sshOptions'],
    'session-restore-request': ['sessionId', 'snapshot'],
    'session-replicate-request': [
      'originalSessionId',
      'newSessionId',
      'sessionOptions',
      'restoreState',
    ],
    'session-migrate-request': ['sessionId', 'currentSnapshot', 'migrationOptions'],
    'recovery-fallback': ['sessionId', 'snapshot', 'message', 'archiveLocation'],
    'snapshot-request': ['sessionId', 'callback'],
    'session-interrupt-request': ['sessionId', 'interruptType', 'signals', 'interactiveState'],
    'session-prompt-reset-request': ['sessionId', 'actions', 'preserveState'],
    'session-refresh-request': [
      'sessionId',
      'refreshActions',
      'timeout',
      'fallbackToRestart',
      'preserveState',
    ],
    'session-command-retry-request': ['sessionId', 'commands', 'retryConfig', 'verification'],
    'interactive-state-updated': ['sessionId', 'interactiveState'],
  }
  const rows = tableOf('payloads')
  const fieldsOf = Object.fromEntries(
    rows.map(([event, fields]) => [namesIn(event)[0] ?? '', namesIn(fields)]),
  )
  const news = rows.flatMap(([event, fields = '']) =>
    [...fields.matchAll(/[*_]`([^`]+)`[*_]/g)].map(([, field]) => `${namesIn(event)[0]}.${field}`),
  )

  test('the page has the seed’s 22 events with its fields, and says what is new', () => {
    expect(Object.keys(seedFields)).toHaveLength(22)
    const old = Object.entries(fieldsOf).map(([event, fields]) => [
      event,
      fields.filter((field) => !news.includes(`${event}.${field}`)),
    ])
    expect(Object.fromEntries(old)).toEqual({ ...seedFields, 'session-verify-request': [] })
  })

  test('every event is told with exactly its fields', async () => {
    const carried = new Map<string, Set<string>>()
    const collect = ({ told }: Stage) => {
      for (const { event, payload } of told) {
        const fields = [...(carried.get(event) ?? []), ...Object.keys(payload)]
        carried.set(event, new Set(fields))
        expect([event, Object.keys(payload)]).toEqual([event, fieldsOf[event]])
      }
    }
    for (const scene of Object.values(scenes)) collect((await scene()).seen)
    for (const strategy of recoveryStrategies) {
      if (strategy === 'fallback') continue
      const answers = Object.fromEntries(requests.map((name) => [name, acknowledge]))
      const seen = await set({ ...once, strategy, session: remote, answers })
      await seen.recovery.updateInteractiveState('a', { pendingCommands: ['make'] })
      await seen.recovery.recoverSession('a')
      collect(seen)
    }
    expect([...carried.keys()].sort()).toEqual(Object.keys(fieldsOf).sort())
  })
})
