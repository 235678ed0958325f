/**
 * Small pieces of a store's life that are run again and again, with something else happening to them each
 * time: everything a store does to its files is in them, and little else.
 */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkStore } from './store-check.js'
import { type History, newHistory, type Retention } from './store-history.js'
import type { WriterTask } from './store-work.js'
import { killingAt, type Trace, traceIn, tracing } from './strace.js'
import { noteAll, startWriter, taskAfter } from './writer-process.js'

// ------------------------------------------------------------------------------------------ model

export interface Scenario {
  readonly name: string
  /** What is there before; nothing: the store is new. */
  readonly template: string | undefined
  readonly history: History
  readonly task: WriterTask
  readonly trace: Trace
}

/** One try: a store of its own. */
export interface Scene {
  readonly task: WriterTask
  readonly history: History
  /** For what is traced. */
  readonly traceFile: string
}

export const retention: Retention = { journalEntriesPerSession: 5, forgottenSessions: 1 }

const places = { a: 0, b: 0 }

// ----------------------------------------------------------------------------------- constructors

/** A new store: commits one by one and together, snapshots, archives, checkpoints, and it is forgotten. */
const beginning = async (directory: string): Promise<Scenario> => {
  const task = taskAfter(newHistory(), {
    directory: join(directory, 'store'),
    retention,
    steps: 7,
    checkpoints: 2,
    turns: 1,
    places,
  })
  return traced(directory, {
    name: 'a new store',
    template: undefined,
    history: newHistory(),
    task,
  })
}

/** A store in which a writer was killed: segments that count no longer, drafts, and one session goes on. */
const again = async (directory: string, first: Scenario): Promise<Scenario> => {
  const killed = await sceneOf(first, join(directory, 'killed'))
  const under = killingAt('unlink', 1, killed.task.directory, first.trace)
  const writer = startWriter(killed.task, under)
  const { how } = await writer.gone
  if (how !== 'SIGKILL') throw new Error(`the writer was to be killed, and ended with ${how}`)
  noteAll(killed.history, writer)
  await writeFile(join(killed.task.directory, 'log', '00000001-00000009.jsonl.tmp'), 'torn')
  await writeFile(join(killed.task.directory, 'archives', 'archive.json.tmp'), 'torn')
  const { history } = killed
  const template = join(directory, 'template')
  await cp(killed.task.directory, template, { recursive: true })
  // What is found there is one thing, what was acknowledged another: nobody has opened it yet.
  const found = structuredClone(history)
  await checkStore(killed.task.directory, retention, found)
  const task = taskAfter(history, {
    directory: killed.task.directory,
    retention,
    steps: 1,
    checkpoints: 1,
    turns: 1,
    places: { a: found.places.get('a') ?? 0 },
  })
  return traced(directory, { name: 'a store that was left', template, history, task })
}

// The scenario as it goes when nothing happens: which calls it makes, and upon which files.
const traced = async (directory: string, scenario: Omit<Scenario, 'trace'>): Promise<Scenario> => {
  const untraced = { ...scenario, trace: { calls: new Map(), paths: [] } }
  const scene = await sceneOf(untraced, join(directory, 'untouched'))
  const writer = startWriter(scene.task, tracing(scene.traceFile))
  const { how, complaint } = await writer.gone
  if (how !== '0' || complaint !== '') throw new Error(`the writer ended with ${how}: ${complaint}`)
  return { ...scenario, trace: await traceIn(scene.traceFile, scene.task.directory) }
}

// ------------------------------------------------------------------------------------ combinators

/** Every scenario; `directory` is theirs. */
export const scenariosIn = async (directory: string): Promise<readonly [Scenario, Scenario]> => {
  await mkdir(directory, { recursive: true })
  const first = await beginning(directory)
  return [first, await again(directory, first)]
}

/** Sets the scenario up anew in `directory`, which it empties. */
export const sceneOf = async (scenario: Scenario, directory: string): Promise<Scene> => {
  await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
  const store = join(directory, 'store')
  if (scenario.template !== undefined) await cp(scenario.template, store, { recursive: true })
  return {
    task: { ...scenario.task, directory: store },
    history: structuredClone(scenario.history),
    traceFile: join(directory, 'trace'),
  }
}
