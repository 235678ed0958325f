/**
 * `demo`: opens real shells, breaks each in its own way without telling the engine, and shows how they
 * come back, with proof. Fails when any session does not end as it should, with evidence.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startInspector } from '@session-recovery/adapter-inspect'
import { factsOf, type Notice } from '@session-recovery/core'
import { type Engine, replay } from '@session-recovery/engine'
import type { Command } from 'commander'
import * as E from 'fp-ts/lib/Either.js'
import { liveView } from './live-view.js'
import { type Mishap, mishaps } from './mishap.js'
import {
  type End,
  exhaustedDetail,
  explanation,
  heading,
  receiptDetail,
  receiptTable,
  statistics,
  timeline,
} from './report.js'
import {
  bringOn,
  checkOf,
  orFail,
  type Player,
  type Stage,
  secretValue,
  setStage,
  untilKept,
} from './stage.js'

interface DemoOptions {
  readonly inspect?: true
  /** Where the new folder is made. */
  readonly data: string
}

const openWithinMs = 30_000
const endWithinMs = 60_000
const told = 'second-try'

const say = (text: string): void => void process.stdout.write(text)

/** Collects how each session's incident ended. */
const endsOf = (engine: Engine, players: readonly Player[]) => {
  const ends = new Map<string, End>()
  let resolve = () => {}
  const all = new Promise<void>((done) => {
    resolve = done
  })
  const end = engine.subscribe((notice: Notice) => {
    if (notice._tag !== 'decided') return
    for (const fact of factsOf(notice.entry)) {
      if (fact._tag === 'incident-recovered' || fact._tag === 'incident-exhausted') {
        ends.set(notice.entry.sessionId, fact)
      }
      const player = players.find(({ mishap }) => mishap.sessionId === notice.entry.sessionId)
      if (fact._tag === 'backoff-began' && player !== undefined && fact.attempt === 1) {
        void player.mishap.relent?.(player.place)
      }
    }
    if (ends.size === players.length) resolve()
  })
  return { ends, all, end }
}

/** What is wrong with how a session ended; empty when it ended as it should, with evidence. */
const faultsOf = async (
  { driver, engine, store }: Stage,
  { mishap, place, firstPid }: Player,
  end: End | undefined,
): Promise<readonly string[]> => {
  const { sessionId } = mishap
  const faults: string[] = []
  const replayed = replay(await engine.journal(sessionId), engine.policy)
  if (replayed._tag !== 'same') faults.push(`its journal replays as ${replayed._tag}`)
  if (end === undefined) return [...faults, 'it did not end']
  if (end._tag !== `incident-${mishap.ends}`) return [...faults, `it ended ${end._tag}`]
  if (end._tag === 'incident-exhausted') {
    const archive = end.archive === undefined ? undefined : await store.readArchive(end.archive)()
    const isBack = archive !== undefined && E.isRight(archive) && archive.right.snapshot !== null
    return isBack ? faults : [...faults, 'its archive does not read back']
  }
  if (end.receipt.grade !== 'observed') faults.push(`the proof of life is ${end.receipt.grade}`)
  const session = driver.session(sessionId)
  const keptPid = session?.pid() === firstPid
  if (keptPid !== mishap.keepsProcess) {
    faults.push(mishap.keepsProcess ? 'its process was replaced' : 'its process is the old one')
  }
  const checked = await session?.exec(checkOf(place))
  if (checked?._tag !== 'finished' || checked.exitCode !== 0) {
    faults.push('its directory or its variables are not back')
  }
  return faults
}

/** The files under `directory` that hold `secret`. */
const filesWith = async (directory: string, secret: string): Promise<readonly string[]> => {
  const names = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = names
    .filter((entry) => entry.isFile())
    .map((e) => join(e.parentPath ?? e.path, e.name))
  const held = await Promise.all(
    files.map(async (path) => ((await readFile(path)).includes(secret) ? [path] : [])),
  )
  return held.flat()
}

const report = async (
  stage: Stage,
  players: readonly Player[],
  ends: ReadonlyMap<string, End>,
): Promise<readonly string[]> => {
  const { engine } = stage
  say(heading('Receipts'))
  say(receiptTable(ends))
  for (const [sessionId, end] of ends) {
    const detail =
      end._tag === 'incident-recovered'
        ? receiptDetail(sessionId, end.receipt)
        : exhaustedDetail(sessionId, end)
    say(`\n${detail}`)
  }
  const journal = await engine.journal(told)
  say(heading(`The incident of ${told}`))
  say(timeline(journal))
  say(heading('Why that plan: the rules, in the order they were asked'))
  say(explanation(journal, engine.policy))
  say(heading('Statistics'))
  say(statistics(engine.stats()))
  const faults: string[] = []
  for (const player of players) {
    const { sessionId } = player.mishap
    const wrong = await faultsOf(stage, player, ends.get(sessionId))
    faults.push(...wrong.map((fault) => `${sessionId}: ${fault}`))
  }
  const leaks = await filesWith(stage.directory, secretValue)
  return [...faults, ...leaks.map((path) => `a secret is in clear in ${path}`)]
}

const inspected = async (engine: Engine): Promise<() => Promise<void>> => {
  const inspector = orFail(await startInspector({ policy: engine.policy })(), 'the inspector')
  engine.subscribe(inspector.sink)
  say(`Inspector: ${inspector.url}\n`)
  say(
    'Connect what speaks the protocol of @statelyai/inspect to it; sessions appear as they run.\n',
  )
  return inspector.close
}

const strikeAll = async (players: readonly Player[]): Promise<void> => {
  for (const { mishap, session, place } of players) await mishap.strike(session, place)
}

/** What `work` resolves to, or `undefined` when it takes longer. */
const within = <A>(limitMs: number, work: Promise<A>): Promise<A | undefined> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** Adds `demo` to the program. */
export const addDemoCommand = (program: Command): void => {
  program
    .command('demo')
    .summary('break real shells and watch them come back')
    .description(
      'Opens real bash sessions, breaks each in its own way without telling the engine, and shows ' +
        'how they come back, with proof. The exit status is 1 when one did not end as it should.',
    )
    .option('--inspect', 'serve the Stately inspector on loopback while it runs')
    .option('--data <directory>', 'where the new folder is made', 'data')
    .action(async (options: DemoOptions) => {
      const status = await demo(options)
      // What an interruption left half done would keep the process for a minute.
      if (status > 128) process.exit(status)
      process.exitCode = status
    })
}

const demo = async ({ inspect, data }: DemoOptions): Promise<number> => {
  const stage = await setStage(data)
  const { engine, driver } = stage
  const interruption = interrupted()
  const closeInspector = inspect === true ? await inspected(engine) : async () => {}
  try {
    const status = await Promise.race([play(stage), interruption.status])
    if (inspect === true && process.stdout.isTTY && status <= 1) {
      say('The inspector is served until you press Ctrl-C.\n')
      await interruption.status
    }
    return status
  } finally {
    interruption.ignore()
    await engine.stop()
    await driver.close()
    await closeInspector()
  }
}

/** Breaks the shells and tells how they came back; resolves to the exit status. */
const play = async (stage: Stage): Promise<number> => {
  const { engine } = stage
  say(`Opening ${mishaps.length} real shells; what is stored goes to ${stage.directory}\n`)
  const opening = Promise.all(mishaps.map((mishap: Mishap) => bringOn(stage, mishap)))
  const players = await within(openWithinMs, opening)
  if (players === undefined) throw new Error('the sessions were not at work in 30 s')
  const { ends, all, end } = endsOf(engine, players)
  await Promise.all(players.map((player) => untilKept(stage, player)))
  say('All are at work; now each is broken, and nobody tells the engine.\n')
  const view = liveView(engine, mishaps)
  await strikeAll(players)
  await within(endWithinMs, all)
  view.end()
  end()
  const faults = await report(stage, players, ends)
  const recovered = [...ends.values()].filter((e) => e._tag === 'incident-recovered').length
  say(`\n${recovered} of ${players.length} sessions recovered, `)
  say(`${ends.size - recovered} exhausted.\n`)
  for (const fault of faults) say(`NOT AS IT SHOULD BE: ${fault}\n`)
  if (faults.length === 0) say('Each ended as it should, with evidence; no secret is on disk.\n')
  say(`What was stored is in ${stage.directory}\n`)
  return faults.length === 0 ? 0 : 1
}

const signals = { SIGINT: 130, SIGTERM: 143 } as const

/** Resolves to the exit status of an interruption: what was opened is closed first. */
const interrupted = () => {
  let ignore = () => {}
  const status = new Promise<number>((resolve) => {
    const heard = (signal: keyof typeof signals) => resolve(signals[signal])
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, heard)
    ignore = () => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, heard)
    }
  })
  return { status, ignore: () => ignore() }
}
