/**
 * What the tests of the driver share: a driver on real shells in a home of its own, requests as the
 * engine makes them, and looking until something is so.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Capture,
  type Clock,
  classify,
  defaultPolicy,
  type ForegroundKind,
  type Observation,
  type RecoverySnapshot,
  type RecoveryStrategy,
  type RunOutcome,
  type RunRequest,
  type Traits,
  type Verdict,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import {
  type OpenOptions,
  type PtyDriver,
  type PtyOptions,
  type PtySession,
  ptyDriver,
} from '../src/index.js'

export { processesNaming } from '@session-recovery/testkit'

/** Fails where bash is missing: without it nothing of this package can be tested. */
export const bash = execFileSync('sh', ['-c', 'command -v bash'], { encoding: 'utf8' }).trim()

export const has = (program: string): boolean =>
  (process.env.PATH ?? '').split(':').some((place) => existsSync(join(place, program)))

export const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule: (delayMs, task) => {
    const timer = setTimeout(task, Math.min(delayMs, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}

export const traits: Traits = {
  kind: 'local',
  attended: false,
  shell: true,
  rerunnable: false,
  failureExitCodes: [],
  idempotentCommands: [],
}

export interface Rig {
  readonly driver: PtyDriver
  readonly home: string
  readonly env: Readonly<Record<string, string>>
  readonly observed: Observation[]
  readonly open: (id: string, options?: Partial<OpenOptions>) => Promise<PtySession>
  readonly run: (
    id: string,
    strategy: RecoveryStrategy,
    more?: Partial<RunRequest>,
  ) => Promise<RunOutcome>
  readonly verify: (
    id: string,
    strategy?: RecoveryStrategy,
    more?: { readonly traits?: Traits },
  ) => Promise<Verdict>
  readonly capture: (id: string) => Promise<Capture>
  readonly snapshot: (id: string) => Promise<RecoverySnapshot>
  readonly close: () => Promise<void>
}

const right = <L, A>(either: E.Either<L, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}

/** A driver with its own empty home. */
export const rigOf = (options: Partial<PtyOptions> = {}): Rig => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'pty-test-')))
  const driver = ptyDriver({ clock: realClock, ...options })
  const observed: Observation[] = []
  driver.watch((observation) => observed.push(observation))
  const env = {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    HOME: home,
    LANG: 'C.UTF-8',
    TERM: 'xterm-256color',
    HISTFILE: join(home, '.bash_history'),
  }
  const request = (sessionId: string) => ({
    sessionId,
    incarnation: 1,
    traits,
    token: 'token',
    signal: new AbortController().signal,
  })
  const rig: Rig = {
    driver,
    home,
    env,
    observed,
    open: async (id, more) =>
      right(await driver.open(id, { command: bash, cwd: home, env, ...more })()),
    run: async (id, strategy, more) =>
      right(
        await driver.run({
          ...request(id),
          strategy,
          attempt: 1,
          failure: classify('lost', []),
          plan: {
            sessionId: id,
            strategies: [strategy],
            priority: 'medium',
            estimatedTime: 0,
            requiredResources: [],
            fallbackOptions: [],
          },
          repeated: false,
          lostSecrets: [],
          policy: defaultPolicy,
          ...more,
        })(),
      ),
    verify: async (id, strategy, more) =>
      right(
        await driver.verify({
          ...request(id),
          ...(strategy === undefined ? {} : { strategy }),
          ...more,
        })(),
      ),
    capture: async (id) => right(await driver.capture(request(id))()),
    snapshot: async (id) => {
      const { update } = await rig.capture(id)
      return {
        sessionId: id,
        timestamp: new Date(),
        sessionState: null,
        sessionOptions: {},
        environment: update.environment ?? {},
        workingDirectory: update.workingDirectory ?? '',
        commandHistory: update.commandHistory ?? [],
        outputBuffer: update.outputBuffer ?? [],
        ...(update.interactiveState === undefined
          ? {}
          : { interactiveState: update.interactiveState }),
        ...(update.shell === undefined ? {} : { shell: update.shell }),
      }
    },
    close: async () => {
      await driver.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
  return rig
}

/** Looks until `look` gives something; fails, saying what was waited for, after `withinMs`. */
export const eventually = async <A>(
  what: string,
  look: () => A | undefined | Promise<A | undefined>,
  withinMs = 20_000,
): Promise<A> => {
  const endMs = performance.now() + withinMs
  for (;;) {
    const value = await look()
    if (value !== undefined && value !== false) return value
    if (performance.now() > endMs) throw new Error(`not seen within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const quietMs = 500

/** What a session has put out once nothing more comes: a program says a word or two after it was seen. */
export const settledOutput = (session: PtySession): Promise<string> => {
  let output = session.output()
  let sinceMs = performance.now()
  return eventually(`quiet in ${session.id}`, () => {
    if (session.output() !== output) {
      output = session.output()
      sinceMs = performance.now()
    }
    return performance.now() - sinceMs > quietMs ? { output } : undefined
  }).then((settled) => settled.output)
}

/**
 * Waits until the foreground of a session is of that kind; if it is a command's, until the shell has
 * told its start, too, which the kernel may show first.
 */
export const foreground = (rig: Rig, id: string, kind: ForegroundKind): Promise<true> =>
  eventually(`${kind} in ${id}`, async () => {
    const { foreground: seen, update } = await rig.capture(id)
    const told = (update.interactiveState?.pendingCommands.length ?? 0) > 0
    const isCommand = kind !== 'at-prompt' && kind !== 'stopped' && kind !== 'dead'
    return seen.kind === kind && (told || !isCommand) ? true : undefined
  })

/** Waits until the end of a session's process was told. */
export const died = (rig: Rig, id: string): Promise<Observation> =>
  eventually(`the end of ${id}`, () =>
    rig.observed.find((seen) => seen._tag === 'exited' && seen.sessionId === id),
  )
