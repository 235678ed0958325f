/** Starts a writer, under another program where that is asked for, and hears what it says until it ends. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type History, note, sessionIds, type Telling } from './store-history.js'
import type { WriterTask } from './store-work.js'

// ------------------------------------------------------------------------------------------ model

/** A writer that runs or ran. */
export interface WriterProcess {
  /** All it has said so far. */
  readonly said: readonly Telling[]
  /** Resolves once it has said so many lines, or has ended. */
  readonly hasSaid: (lines: number) => Promise<void>
  readonly kill: () => void
  /** Resolves once it is gone and all it said was heard; to what it complained of. */
  readonly gone: Promise<Gone>
}

export interface Gone {
  readonly how: string
  readonly complaint: string
}

const entry = fileURLToPath(new URL('./store-writer.js', import.meta.url))

// A writer that hangs is a loss of its own; the slowest machine needs a fraction of it.
const limitMs = 120_000

// ----------------------------------------------------------------------------------- constructors

/** A task that goes on where `history` has got to. */
export const taskAfter = (
  history: History,
  task: Pick<WriterTask, 'directory' | 'retention' | 'steps' | 'checkpoints' | 'turns'> &
    Partial<WriterTask>,
): WriterTask => ({
  places: Object.fromEntries(sessionIds.map((id) => [id, history.places.get(id) ?? 0])),
  folded: Math.max(...history.folds.keys()),
  throughSeq: Math.max(...history.folds.values()),
  ...task,
})

/** @param under the program that runs it, and its arguments; nothing: it runs by itself. */
export const startWriter = (task: WriterTask, under: readonly string[] = []): WriterProcess => {
  const [program = process.execPath, ...args] = [...under, process.execPath]
  const child = spawn(program, [...args, entry, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // Under another program with one thread for the disk: it is then asked in the same order each time.
    env: under.length === 0 ? process.env : { ...process.env, UV_THREADPOOL_SIZE: '1' },
  })
  const said: Telling[] = []
  const waiting: { readonly lines: number; readonly done: () => void }[] = []
  let unfinished = ''
  let complaint = ''
  let hasEnded = false
  const settle = () => {
    for (const one of waiting) if (hasEnded || said.length >= one.lines) one.done()
  }
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    const lines = `${unfinished}${piece}`.split('\n')
    unfinished = lines.pop() ?? ''
    for (const line of lines) said.push(JSON.parse(line) as Telling)
    settle()
  })
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    complaint += piece
  })
  const kill = () => void child.kill('SIGKILL')
  const gone = new Promise<Gone>((resolve, reject) => {
    const alarm = setTimeout(() => {
      complaint += `it hung for ${limitMs} ms`
      kill()
    }, limitMs)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(alarm)
      hasEnded = true
      settle()
      resolve({ how: String(signal ?? code), complaint })
    })
  })
  const hasSaid = (lines: number) =>
    new Promise<void>((done) => {
      waiting.push({ lines, done })
      settle()
    })
  return { said, hasSaid, kill, gone }
}

/** Adds all that `writer` said to `history`. */
export const noteAll = (history: History, { said }: WriterProcess): void => {
  for (const telling of said) note(history, telling)
}
