/**
 * The stage of one row: a real engine over a store on disk and a driver, and the session on it, given
 * work to lose.
 */
import { fileStore } from '@session-recovery/adapter-fs'
import { ptyDriver } from '@session-recovery/adapter-pty'
import type { SshAddress } from '@session-recovery/adapter-ssh'
import { type PlanRule, type Policy, policyFrom, type Store } from '@session-recovery/core'
import { createEngine, type Engine, systemClock } from '@session-recovery/engine'
import type { OpenOptions, ShellDriver, ShellSession } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { beginScript, failureExitCode, type Victim } from './fault.js'
import type { Network } from './network.js'
import type { Place } from './place.js'
import type { Row } from './row.js'
import { givesMarks, wordOf } from './subject.js'
import { until } from './witness.js'

// ------------------------------------------------------------------------------------------ model

export interface Stage {
  readonly row: Row
  readonly place: Place
  readonly engine: Engine
  readonly driver: ShellDriver
  readonly store: Store
  readonly network?: Network
}

/** What a session is opened and registered with. */
type SessionOptions = OpenOptions & { readonly sshOptions?: SshAddress }

/** The variable by which every process of a row is known, to the drill alone. */
export const markName = 'DRILL_ROW'

// ----------------------------------------------------------------------------------- constructors

// Short waits, so that a drill of hundreds of rows ends in minutes; one strategy, and the last resort.
const policyFor = ({ strategy, fault }: Row): Policy => {
  const rule: PlanRule = {
    name: `drill-${strategy}`,
    when: {},
    strategies: strategy === 'fallback' ? ['fallback'] : [strategy, 'fallback'],
    priority: 'high',
    estimatedTimeMs: 0,
  }
  const policy = policyFrom({
    maxRecoveryAttempts: fault.relent === undefined ? 1 : 4,
    recoveryDelay: 100,
    maxBackoffDelay: 100,
    snapshotInterval: 150,
    strategyTimeoutMs: 20_000,
    recoveryTimeout: 60_000,
    storeOutput: true,
    triggers: { unresponsiveAfterMs: 200 },
    commandRetry: { maxRetries: 2, baseDelayMs: 100, timeoutPerCommandMs: 10_000 },
    planRules: [rule],
  })
  if (E.isLeft(policy)) throw new Error(policy.left.message)
  return policy.right
}

/** An engine over the store of a place, not started yet. */
export const stageAt = (row: Row, place: Place, network?: Network): Stage => {
  const store = fileStore({ directory: place.store })
  // Each driver opens what has its options: those of a remote session name its host.
  const driver = (network?.driver() ?? localDriver(row)) as ShellDriver
  const engine = createEngine({ policy: policyFor(row), driver, store })
  return { row, place, engine, driver, store, ...(network === undefined ? {} : { network }) }
}

/** What the session of a row is opened with, and registered with. */
const optionsOf = ({ row: { subject, fault }, place, network }: Stage): SessionOptions => ({
  command: place.program,
  args: subject.args,
  cwd: place.home,
  env: {
    PATH: process.env.PATH ?? '',
    HOME: place.home,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    HISTFILE: '',
    [markName]: place.id,
    DRILL_WORD: '',
    ...subject.environment,
  },
  attended: false,
  ...(network === undefined
    ? {}
    : { sshOptions: { host: network.proxy.host, port: network.proxy.port } }),
  ...(fault.expectedMs === undefined ? {} : { expectedMs: fault.expectedMs }),
})

const localDriver = ({ fault: { promptTimeoutMs } }: Row) =>
  ptyDriver({ clock: systemClock, ...(promptTimeoutMs === undefined ? {} : { promptTimeoutMs }) })

// ------------------------------------------------------------------------------------ combinators

/** Opens and registers the session, gives it its work, and waits until the engine has kept it. */
export const bringOn = async (stage: Stage): Promise<Victim> => {
  const { row, place, engine, driver, network } = stage
  const { subject, fault } = row
  const options = optionsOf(stage)
  const opened = await driver.open(place.id, options)()
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  const session = opened.right
  const declared = subject.words.run(place.script)
  const registered = await engine.register(place.id, {
    sessionOptions: options,
    attended: false,
    shell: subject.shell,
    rerunnable: true,
    failureExitCodes: [failureExitCode],
    idempotentCommands: row.strategy === 'command-retry' ? [declared] : [],
  })
  if (registered._tag !== 'registered') throw new Error(`it was not registered: ${registered._tag}`)
  await doWork(stage, session)
  const pid = session.pid()
  if (pid === undefined) throw new Error('it died before its time')
  const victim = {
    subject,
    place,
    pid,
    type: typing(stage, session),
    ...(network === undefined ? {} : { network }),
  }
  if (fault.holdFirst) {
    await beginScript(victim)
    await kept(stage, true)
  }
  return victim
}

const doWork = async (stage: Stage, session: ShellSession): Promise<void> => {
  const { row, place } = stage
  const { subject } = row
  const lines = subject.words.work(place.work, wordOf(place.id))
  if (givesMarks(subject)) {
    for (const line of lines) {
      const done = await session.exec(line)
      if (done._tag !== 'finished' || done.exitCode !== 0) {
        throw new Error(`${line}: ${JSON.stringify(done)}`)
      }
    }
  } else {
    await promptShown(subject.prompt, session)
    for (const line of lines) session.write(`${line}\r`)
  }
  await kept(stage, false)
}

/** Waits until a program without marks shows its prompt: it must read before it is typed at. */
export const promptShown = async (prompt: string, session: ShellSession): Promise<void> => {
  const shown = await until(20_000, () => (session.output().includes(prompt) ? true : undefined))
  if (shown === undefined) throw new Error('it did not show its prompt within 20 s')
}

const typing =
  ({ row }: Stage, session: ShellSession) =>
  (line: string): void => {
    if (givesMarks(row.subject)) void session.exec(line)
    else session.write(`${line}\r`)
  }

/** Waits until the engine has kept the work, and, where it must, the command that runs. */
const kept = async ({ row, place, engine }: Stage, running: boolean): Promise<void> => {
  const marked = givesMarks(row.subject)
  const seen = await until(20_000, async () => {
    const snapshot = await engine.snapshot(place.id)
    const isThere =
      snapshot?.workingDirectory === place.work &&
      (!marked || snapshot.environment.DRILL_WORD === wordOf(place.id)) &&
      // What it holds besides is told in a mark of its own, and may come a capture later.
      (row.subject.words.state === undefined || snapshot.shell?.umask.endsWith('27') === true)
    const runs = (snapshot?.interactiveState?.pendingCommands.length ?? 0) > 0
    return isThere && (!running || !marked || runs) ? true : undefined
  })
  if (seen === undefined) throw new Error('its work was not captured within 20 s')
}

/** The line by which the session is asked for what it has, into the file. */
export const tellingLine = ({ row }: Stage, file: string): string => row.subject.words.tell(file)
