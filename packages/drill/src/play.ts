/**
 * Plays one row: raises the stage, brings about the fault without a word to the engine, waits for the
 * incident's end, and has what came of it judged.
 */
import { fork } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Victim } from './fault.js'
import { judge, type Struck } from './judge.js'
import { type Network, raiseNetwork } from './network.js'
import { makePlace, type Place, placeAt } from './place.js'
import { expectationOf, type Row } from './row.js'
import { bringOn, markName, type Stage, stageAt } from './stage.js'
import { realPath } from './subject.js'
import { type End, type Tried, type Watch, watchOf } from './watch.js'
import { processesWith, until, type Witnessed, witness } from './witness.js'

// ------------------------------------------------------------------------------------------ model

/** What came of a row. */
export interface Played {
  readonly row: Row
  /** Where the session stood. */
  readonly host: string
  /** From the fault until the engine knew of it. */
  readonly detectedMs: number | undefined
  /** From the fault until the recovery was verified, or given up. */
  readonly latencyMs: number | undefined
  readonly failure: string
  readonly tried: readonly Tried[]
  readonly end: End | undefined
  /** What is not as it should be; empty when all is. */
  readonly misses: readonly string[]
  readonly tookMs: number
}

const overWithinMs = 60_000
const leftWithinMs = 10_000

// ------------------------------------------------------------------------------------ combinators

/** Plays a row under `top`; what it throws becomes a miss. */
export const play = async (row: Row, id: string, top: string): Promise<Played> => {
  const beganMs = performance.now()
  const place = placeAt(top, id, row.subject)
  const program = realPath(row.subject)
  const misses: string[] = []
  let struck: Struck | undefined
  try {
    if (program === undefined) throw new Error(`${row.subject.program} is not installed`)
    await makePlace(place, program, row.fault.hold)
    struck = row.fault.hitsApp ? await strikeApp(row, place, top) : await strike(row, place)
    const { stage, watch } = struck
    if (row.fault.reported !== undefined) {
      const told = await stage.engine.reportFailure(id, row.fault.reported)
      if (told._tag !== 'opened') misses.push(`the app's report was taken as ${told._tag}`)
    }
    if (!(await watch.over(overWithinMs))) misses.push('it was not over within 60 s')
    misses.push(...(await judge(struck, expectationOf(row))))
  } catch (error) {
    misses.push(error instanceof Error ? error.message : String(error))
  }
  const isBeyond = expectationOf(row).beyondReach
  misses.push(...(await strikeStage(struck?.stage ?? raised.get(id), id, isBeyond)))
  raised.delete(id)
  const incident = struck?.watch.incident()
  const since = (atMs: number | undefined) =>
    atMs === undefined || struck === undefined ? undefined : atMs - struck.struckAtMs
  return {
    row,
    host: hostOf(row),
    detectedMs: since(incident?.openedAtMs),
    latencyMs: since(incident?.endedAtMs),
    failure: incident?.failure ?? '',
    tried: incident?.tried ?? [],
    end: incident?.ends[0],
    misses,
    tookMs: performance.now() - beganMs,
  }
}

const hostOf = ({ subject: { keeper } }: Row): string => (keeper === undefined ? 'local' : 'sshd')

// What was raised for a row, so that it is closed whatever happens to the row.
const raised = new Map<string, Stage>()

const raise = (
  row: Row,
  place: Place,
  network?: Network,
): { readonly stage: Stage; readonly watch: Watch } => {
  const stage = stageAt(row, place, network)
  raised.set(place.id, stage)
  let isRelented = false
  const watch = watchOf(stage.engine, place.id, () => {
    if (isRelented) return
    isRelented = true
    void row.fault.relent?.(stage)
  })
  return { stage, watch }
}

const start = async ({ engine }: Stage): Promise<void> => {
  const started = await engine.start()
  if (started._tag !== 'started') throw new Error(`the engine did not start: ${started._tag}`)
}

const strike = async (row: Row, place: Place): Promise<Struck> => {
  const { keeper } = row.subject
  const network =
    keeper === undefined ? undefined : await raiseNetwork(keeper, row.fault.pool === true)
  const { stage, watch } = raise(row, place, network)
  await start(stage)
  const victim = await bringOn(stage)
  const before = known(victim.pid)
  const struckAtMs = performance.now()
  const output = stage.driver.session(place.id)?.output() ?? ''
  await row.fault.strike(victim)
  await shown(row, stage, victim, output)
  return { stage, watch, before, struckAtMs }
}

// What was typed must have arrived before the app can say what came of it.
const shown = async (
  { fault }: Row,
  { driver }: Stage,
  { place }: Victim,
  before: string,
): Promise<void> => {
  const { shows } = fault
  if (shows === undefined) return
  const seen = await until(20_000, () => {
    const output = driver.session(place.id)?.output() ?? ''
    const since = output.startsWith(before) ? output.slice(before.length) : output
    return shows.test(withoutControl(since).trimEnd()) || undefined
  })
  if (seen === undefined) throw new Error('the fault did not show within 20 s')
}

// What a line editor writes beside the prompt.
const withoutControl = (text: string): string =>
  text
    .split('\x1b')
    .map((part, i) => (i === 0 ? part : part.replace(/^(?:\[[?>=0-9;]*[A-Za-z]|[=>])/, '')))
    .join('')

const known = (pid: number): Witnessed => {
  const seen = witness(pid)
  if (seen === undefined) throw new Error('the session has no process')
  return seen
}

// ------------------------------------------------------------------------------------ the app dies

const appPath = fileURLToPath(new URL('../dist/app.js', import.meta.url))

/** Has another process hold the session, kills it, and takes up its store. */
const strikeApp = async (row: Row, place: Place, top: string): Promise<Struck> => {
  const { subject, fault, strategy } = row
  const names = [top, place.id, subject.name, fault.name, strategy]
  const app = fork(appPath, names, { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let complaint = ''
  app.stderr?.on('data', (chunk: Buffer) => {
    complaint += chunk.toString()
  })
  const exited = new Promise<void>((resolve) => app.once('exit', () => resolve()))
  const ready = new Promise<number>((resolve, reject) => {
    app.once('message', (message: { readonly pid: number }) => resolve(message.pid))
    void exited.then(() => reject(new Error(`the app ended before its time: ${complaint}`)))
  })
  try {
    const before = known(await ready)
    const struckAtMs = performance.now()
    app.kill('SIGKILL')
    await exited
    const { stage, watch } = raise(row, place)
    await start(stage)
    return { stage, watch, before, struckAtMs }
  } finally {
    app.kill('SIGKILL')
  }
}

// ------------------------------------------------------------------------------------ afterwards

/** Closes what a row raised; nothing of it may be left, but of a session on a host beyond reach. */
const strikeStage = async (
  stage: Stage | undefined,
  id: string,
  beyondReach: boolean,
): Promise<readonly string[]> => {
  const misses: string[] = []
  if (stage !== undefined) {
    const stopped = await stage.engine.stop()
    await stage.driver.close()
    await stage.network?.close()
    if (stopped._tag === 'stopped' && stopped.unfinished > 0) {
      misses.push(`${stopped.unfinished} pieces of work did not end`)
    }
  }
  const left = () => processesWith(markName, id)
  const isClear = beyondReach || (await until(leftWithinMs, () => left().length === 0 || undefined))
  if (!isClear) misses.push(`left running: ${left().join(', ')}`)
  for (const pid of left()) killed(pid)
  return misses
}

const killed = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

/** Removes what rows left on disk. */
export const removePlaces = (top: string): Promise<void> =>
  rm(join(top), { recursive: true, force: true })
