/** The driver alone, as an engine sees it. */
import { EventEmitter } from 'node:events'
import {
  classify,
  defaultPolicy,
  type Policy,
  policyFrom,
  type RecoverySnapshot,
  type RecoveryStrategy,
  type RunRequest,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { eventDriver, type RecoveryEventMap, replicaId, strategyMessage } from '../src/index.js'
import { requests } from './stage.js'

const policy = (input: unknown): Policy => {
  const read = policyFrom(input)
  if (E.isLeft(read)) throw new Error(read.left.message)
  return read.right
}

const snapshot: RecoverySnapshot = {
  sessionId: 'a',
  timestamp: new Date(0),
  sessionState: { row: 1 },
  sessionOptions: { command: 'bash', sshOptions: { host: 'far' } },
  environment: { EDITOR: 'vi' },
  workingDirectory: '/srv',
  commandHistory: ['ls'],
  outputBuffer: ['$ '],
  interactiveState: {
    isInteractive: true,
    pendingCommands: ['make'],
    sessionUnresponsive: false,
    timeoutCount: 0,
  },
}

const traits = {
  kind: 'local',
  attended: false,
  shell: true,
  rerunnable: true,
  failureExitCodes: [],
  idempotentCommands: [],
} as const

const session = (token = 'token-1', signal: AbortSignal = new AbortController().signal) => ({
  sessionId: 'a',
  incarnation: 1,
  traits: { ...traits, failureExitCodes: [], idempotentCommands: [] },
  token,
  signal,
})

const request = (strategy: RecoveryStrategy, more: Partial<RunRequest> = {}): RunRequest => ({
  ...session(),
  strategy,
  attempt: 1,
  failure: classify('gone', []),
  plan: {
    sessionId: 'a',
    strategies: [strategy, 'fallback'],
    priority: 'low',
    estimatedTime: 1,
    requiredResources: [],
    fallbackOptions: [],
  },
  repeated: false,
  snapshot,
  lostSecrets: [],
  policy: defaultPolicy,
  ...more,
})

const host = () => {
  const emitter = new EventEmitter<RecoveryEventMap>()
  const asked: unknown[] = []
  const listen = (event: keyof RecoveryEventMap, answer: () => unknown = () => undefined) =>
    emitter.on(event, (payload?: unknown) => {
      asked.push(payload)
      return answer()
    })
  return { emitter, asked, listen, driver: eventDriver(emitter, { wallMs: () => 7 }) }
}

const right = <A>(either: E.Either<unknown, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}

describe('what each strategy asks, to the letter', () => {
  const restoreState = { workingDirectory: '/srv', environment: { EDITOR: 'vi' } }
  const { sessionOptions, interactiveState } = snapshot
  const cases: readonly [RecoveryStrategy, keyof RecoveryEventMap, unknown][] = [
    ['restart', 'session-restart-request', { sessionId: 'a', sessionOptions, restoreState }],
    ['reconnect', 'ssh-reconnect-request', { sessionId: 'a', sshOptions: { host: 'far' } }],
    [
      'restore',
      'session-restore-request',
      {
        sessionId: 'a',
        snapshot: { sessionState: { row: 1 }, ...restoreState, commandHistory: ['ls'] },
      },
    ],
    [
      'replicate',
      'session-replicate-request',
      {
        originalSessionId: 'a',
        newSessionId: replicaId('a', 'token-1'),
        sessionOptions,
        restoreState: snapshot,
      },
    ],
    [
      'migrate',
      'session-migrate-request',
      {
        sessionId: 'a',
        currentSnapshot: snapshot,
        migrationOptions: { preferredHosts: [], resourceRequirements: sessionOptions },
      },
    ],
    [
      'prompt-interrupt',
      'session-interrupt-request',
      {
        sessionId: 'a',
        interruptType: 'prompt',
        signals: ['SIGINT', 'CTRL_C', 'ESC'],
        interactiveState,
      },
    ],
    [
      'prompt-reset',
      'session-prompt-reset-request',
      {
        sessionId: 'a',
        actions: [
          'clear-output-buffer',
          'reset-prompt-detector',
          'flush-pending-commands',
          'reinitialize-prompt-patterns',
        ],
        preserveState: restoreState,
      },
    ],
    [
      'session-refresh',
      'session-refresh-request',
      {
        sessionId: 'a',
        refreshActions: [
          'send-newline',
          'check-responsiveness',
          'verify-prompt',
          'restore-context',
        ],
        timeout: 10_000,
        fallbackToRestart: true,
        preserveState: interactiveState,
      },
    ],
    [
      'command-retry',
      'session-command-retry-request',
      {
        sessionId: 'a',
        commands: ['make'],
        retryConfig: {
          maxRetries: 3,
          baseDelay: 1_000,
          backoffMultiplier: 2,
          maxDelay: 10_000,
          jitter: true,
        },
        verification: { checkPrompt: true, timeoutPerCommand: 15_000, verifyOutput: true },
      },
    ],
  ]

  test.each(cases)('%s', async (strategy, event, payload) => {
    const { driver, asked, listen } = host()
    listen('recovery-strategy-attempt')
    listen(event)
    const outcome = right(await driver.run(request(strategy))())
    expect(outcome).toEqual({ _tag: 'done', detail: `acknowledged ${event}` })
    const announced = { sessionId: 'a', strategy, message: strategyMessage[strategy] }
    expect(asked).toEqual([announced, payload])
  })

  test('the cases are all there are', () => {
    expect(cases.map(([, event]) => event)).toEqual(requests)
  })

  test('the numbers of retry and refresh are the policy’s', async () => {
    const { driver, asked, listen } = host()
    listen('session-command-retry-request')
    listen('session-refresh-request')
    const other = policy({
      commandRetry: { maxRetries: 0, baseDelayMs: 1, maxDelayMs: 2, timeoutPerCommandMs: 4 },
      refresh: { timeoutMs: 5, fallbackToRestart: false },
    })
    await driver.run(request('command-retry', { policy: other }))()
    await driver.run(request('session-refresh', { policy: other }))()
    expect(asked).toMatchObject([
      {
        retryConfig: { maxRetries: 0, baseDelay: 1, backoffMultiplier: 2, maxDelay: 2 },
        verification: { timeoutPerCommand: 4 },
      },
      { timeout: 5, fallbackToRestart: false },
    ])
  })
})

describe('what comes of a run', () => {
  test('nobody listens: unsupported, at once; tidings alone do not count', async () => {
    const { driver, listen } = host()
    listen('recovery-strategy-attempt')
    expect(right(await driver.run(request('restart'))())).toEqual({
      _tag: 'unsupported',
      detail: 'nobody listens to session-restart-request',
    })
  })

  test('a listener of `once` acknowledges once', async () => {
    const { driver, emitter } = host()
    emitter.once('session-restart-request', () => {})
    expect(right(await driver.run(request('restart'))())._tag).toBe('done')
    expect(right(await driver.run(request('restart'))())._tag).toBe('unsupported')
  })

  test('every listener is awaited', async () => {
    const { driver, listen } = host()
    const order: string[] = []
    listen('session-restart-request', async () => {
      await new Promise<void>((resolve) => void setImmediate(resolve))
      order.push('slow listener')
    })
    listen('session-restart-request')
    await driver.run(request('restart'))()
    order.push('answer')
    expect(order).toEqual(['slow listener', 'answer'])
  })

  test('an abort ends the wait for one that never answers, and leaves no listener behind', async () => {
    const { driver, listen } = host()
    listen('session-restart-request', () => new Promise(() => {}))
    const controller = new AbortController()
    const { signal } = controller
    const running = driver.run(request('restart', { signal }))()
    controller.abort()
    expect(right(await running)._tag).toBe('failed')
  })

  test('a listener that brings the abort about, and nobody asked after one', async () => {
    const { driver, listen, asked } = host()
    const controller = new AbortController()
    const { signal } = controller
    listen('session-restart-request', () => {
      controller.abort()
      return new Promise(() => {})
    })
    expect(right(await driver.run(request('restart', { signal }))())._tag).toBe('failed')
    expect(right(await driver.run(request('restart', { signal }))())._tag).toBe('failed')
    expect(asked).toHaveLength(1)
  })

  test('a local session has no connection; no command pending, nothing to retry', async () => {
    const { driver, asked, listen } = host()
    for (const event of requests) listen(event)
    const { interactiveState, ...rest } = snapshot
    const local = { ...rest, sessionOptions: { command: 'bash' } }
    for (const strategy of ['reconnect', 'command-retry'] as const) {
      const outcome = right(await driver.run(request(strategy, { snapshot: local }))())
      expect(outcome._tag).toBe('not-applicable')
    }
    expect(asked).toEqual([])
  })

  test('nothing was kept: failed, and nobody is asked', async () => {
    const { driver, asked, listen } = host()
    listen('session-restart-request')
    const { snapshot: _, ...without } = request('restart')
    expect(right(await driver.run(without)())._tag).toBe('failed')
    expect(asked).toEqual([])
  })

  test('a replica’s id is a function of the run', () => {
    expect(replicaId('a', 't')).toBe(replicaId('a', 't'))
    expect(replicaId('a', 't')).not.toBe(replicaId('a', 'u'))
  })
})

describe('verifying', () => {
  test('an acknowledgement is a claim for its own strategy and session, until the next run', async () => {
    const { driver, listen } = host()
    const verified = async (strategy: RecoveryStrategy, sessionId = 'a') =>
      right(await driver.verify({ ...session(), sessionId, strategy })())
    listen('session-restart-request')
    expect((await verified('restart'))._tag).toBe('unproved')
    await driver.run(request('restart'))()
    expect(await verified('restart')).toMatchObject({
      _tag: 'alive',
      receipt: { grade: 'claimed', restoredBytes: expect.any(Number) },
    })
    expect((await verified('restore'))._tag).toBe('unproved')
    expect((await verified('restart', 'b'))._tag).toBe('unproved')
    await driver.run(request('restore'))()
    expect((await verified('restart'))._tag).toBe('unproved')
  })

  test('a listener that throws proves nothing, whatever was acknowledged', async () => {
    const { driver, listen } = host()
    listen('session-restart-request')
    await driver.run(request('restart'))()
    listen('session-verify-request', () => {
      throw new Error('cannot look')
    })
    const verdict = right(await driver.verify({ ...session(), strategy: 'restart' })())
    expect(verdict).toMatchObject({ _tag: 'unproved', detail: 'cannot look' })
  })

  test('a detached session is forgotten', async () => {
    const { driver, listen } = host()
    listen('session-restart-request')
    await driver.run(request('restart'))()
    await driver.detach('a')
    expect(right(await driver.verify({ ...session(), strategy: 'restart' })())._tag).toBe(
      'unproved',
    )
  })

  test('evidence is dated, and counts without any run', async () => {
    const { driver, listen } = host()
    listen('session-verify-request', () => ({ alive: true, restoredBytes: 12 }))
    expect(right(await driver.verify(session())())).toMatchObject({
      _tag: 'alive',
      receipt: { grade: 'observed', evidence: [{ source: 'host', atMs: 7 }], restoredBytes: 12 },
    })
  })

  test('an abort ends it', async () => {
    const { driver, listen } = host()
    listen('session-verify-request', () => new Promise(() => {}))
    const controller = new AbortController()
    const verifying = driver.verify(session('t', controller.signal))()
    controller.abort()
    expect(right(await verifying)._tag).toBe('unproved')
  })
})

test('types: a listener knows what it gets', () => {
  const { emitter } = host()
  emitter.on('recovery-success', ({ attemptNumber, receipt }) => {
    const first: number = attemptNumber
    const grade: 'observed' | 'claimed' | 'none' = receipt.grade
    return [first, grade]
  })
  emitter.on('session-restart-request', ({ sessionOptions, restoreState }) => {
    const cwd: string = restoreState.workingDirectory
    // What the app owns has the app's type, as in the seed.
    const command: string = sessionOptions.command
    // @ts-expect-error there is no such field
    return [cwd, command, restoreState.cwd]
  })
  // @ts-expect-error an attempt's number is a number
  emitter.emit('recovery-max-attempts', { sessionId: 'a', attempts: 'three' })
  expect(emitter.eventNames()).toHaveLength(2)
})
