/**
 * An app that is to be killed: an engine over the store on disk and real shells. It brings back what an
 * earlier life of it left, then lets its shell run commands that each append a line of their own to a
 * file, and kills that shell in the middle of every second one. What it learns it prints, one JSON line each.
 *
 * The argument is JSON:
 *   home         the directory of the shell, of the file `log` and of the store
 *   life         which life of the app it is; commands are numbered within it
 *   strategies   the plan for whatever happens
 *   idempotent   whether every command is declared so, but not what is typed ahead
 *   kill         { of, nth, when }: it kills itself `before` or `after` the `nth` time the store is asked
 *                for `of` (`snapshot`, or the type of an event); absent: somebody else does
 *   commands     how many commands it runs; 0: it only brings back what was left
 */
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import { defaultPlanRules, factsOf, policyFrom } from '@session-recovery/core'
import { createEngine } from '@session-recovery/engine'
import { ptyDriver } from '../dist/index.js'

const { home, life, strategies, idempotent, kill, commands } = JSON.parse(process.argv[2])
const log = join(home, 'log')
const id = 'a'

// Synchronous, so that what was printed is out of this process before it can be killed.
const say = (what) => writeSync(1, `${JSON.stringify(what)}\n`)
const die = () => process.kill(process.pid, 'SIGKILL')

const right = (either) => {
  if (either._tag === 'Right') return either.right
  throw new Error(JSON.stringify(either.left))
}

const clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  schedule: (delayMs, task) => {
    const timer = setTimeout(task, Math.min(delayMs, 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}

let seen = 0
const dyingAt = (of, call) => async () => {
  const isIt = kill !== undefined && of === kill.of && ++seen === kill.nth
  if (isIt && kill.when === 'before') die()
  const result = await call()
  if (isIt) die()
  return result
}

const onDisk = fileStore({ directory: join(home, 'store') })
const store = {
  ...onDisk,
  commit: (commit) => dyingAt(commit.entry.event.type, onDisk.commit(commit)),
  saveSnapshot: (snapshot) => dyingAt('snapshot', onDisk.saveSnapshot(snapshot)),
}

const lineOf = (inLife, n) => {
  const slow = `sleep 0.0${1 + (n % 3)}`
  return `${slow}; echo ${inLife}-${n} >> ${log}; ${slow}`
}
// Those of earlier lives, too.
const upTo = (count) => Array.from({ length: count }, (_, i) => i)
const idempotentCommands = idempotent
  ? upTo(life + 1).flatMap((inLife) => upTo(9).map((n) => lineOf(inLife, n)))
  : []

const policy = right(
  policyFrom({
    planRules: [{ ...defaultPlanRules.at(-1), name: 'all', when: {}, strategies }],
    commandRetry: { baseDelayMs: 1, idempotentCommands },
    snapshotInterval: 0,
    recoveryDelay: 1,
    strategyTimeoutMs: 5_000,
    maxBackoffDelay: 1,
    // Every incident has a fresh budget, and enough of it for the many lives that one may take.
    stableAfterMs: 0,
    maxRecoveryAttempts: 30,
  }),
)

const driver = ptyDriver({ clock })
const engine = createEngine({ policy, driver, store, clock })
const ends = []
let wake = () => {}
/** The `nth` end of an incident in this life. */
const endOf = async (nth) => {
  while (ends.length < nth) {
    await new Promise((resolve) => {
      wake = resolve
    })
  }
  return ends[nth - 1]
}

engine.subscribe((notice) => {
  if (notice._tag === 'captured') {
    const { generation, interactive } = notice.view
    const { pendingCommands = [], unknownCommands = [] } = interactive ?? {}
    say({ captured: generation, commands: [...unknownCommands, ...pendingCommands] })
  }
  if (notice._tag !== 'decided') return
  for (const fact of factsOf(notice.entry)) {
    if (fact._tag === 'strategy-missed') say({ missed: fact.miss })
    if (fact._tag !== 'incident-recovered' && fact._tag !== 'incident-exhausted') continue
    const { jobs } = fact.receipt?.items ?? {}
    const evidence = fact.receipt?.evidence.map(({ detail }) => detail) ?? []
    say({ end: fact._tag, by: fact.strategy, unknown: jobs?.unknownCommands ?? [], evidence })
    ends.push(fact._tag)
    wake()
  }
})

const started = await engine.start()
if (started._tag !== 'started') throw new Error(JSON.stringify(started))

const begin = async (whenRegistered) => {
  // A shell that is left alone would write its history while its home is being removed.
  const shared = { HOME: home, HISTFILE: '/dev/null', LANG: 'C.UTF-8', TERM: 'xterm' }
  const env = { PATH: process.env.PATH, ...shared }
  const sessionOptions = { command: 'bash', cwd: home, env }
  right(await driver.open(id, sessionOptions)())
  const declared = { sessionOptions, attended: false, whenRegistered }
  const registered = await engine.register(id, declared)
  if (registered._tag !== 'registered') throw new Error(JSON.stringify(registered))
}

const settleAll = () => {
  const session = driver.session(id)
  for (const line of session.unknownCommands()) session.settle(line)
}

const resume = async ({ record, view }) => {
  const { pendingCommands = [], unknownCommands = [] } = view?.interactive ?? {}
  say({ found: view?.generation ?? 0, commands: [...unknownCommands, ...pendingCommands] })
  // What was open is brought to its end; what seemed well is found dead.
  if (record.state === 'exhausted' || (await endOf(1)) === 'incident-exhausted') {
    return begin('replace')
  }
  say({ named: driver.session(id).unknownCommands() })
  settleAll()
}

const status = engine.status(id)
await (status === undefined ? begin('refuse') : resume(status))

for (let n = 0; n < commands; n++) {
  const session = driver.session(id)
  const line = lineOf(life, n)
  say({ typed: line })
  const running = session.exec(line)
  if (n % 2 === 0) {
    say({ finished: line, outcome: await running })
    continue
  }
  session.write(`echo ahead-${life}-${n} >> ${log}\r`)
  const before = ends.length
  setTimeout(() => process.kill(session.pid(), 'SIGKILL'), (life * 7 + n * 13) % 70)
  await endOf(before + 1)
  settleAll()
}
await engine.stop()
await driver.close()
say({ done: true })
