/**
 * The work of whoever owns a store: it writes into it, on and on, until everything is done or refused for
 * good. What is durable it says at once, and nothing before that.
 */
import { type Disk, fileStore } from '@session-recovery/adapter-fs'
import type { Store, StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type * as TE from 'fp-ts/lib/TaskEither.js'
import { incarnationAt, isForgotten, type Retention, type Telling } from './store-history.js'
import { archiveAt, commitAt, snapshotAt } from './store-value.js'
import type { Flush } from './without-flush.js'

// ------------------------------------------------------------------------------------------ model

/** What a writer is told. */
export interface WriterTask {
  readonly directory: string
  readonly retention: Retention
  /** Where each session is; those that are not named are not written. */
  readonly places: Readonly<Record<string, number>>
  /** How many places further each session is brought. */
  readonly steps: number
  readonly checkpoints: number
  /** Turns of the event loop between two checkpoints, and after each place. */
  readonly turns: number
  /** The checkpoint that was written last, and through which `seq`. */
  readonly folded: number
  readonly throughSeq: number
  /** A flush that is left out, to see that it is missed. */
  readonly without?: Flush
  /** How long it rests after each place, that the disk is found at rest. */
  readonly restMs?: number
  readonly archivesEach?: number
}

/** What a call that succeeded came back with, and when. */
interface Answer<A> {
  readonly answer: A
  readonly calledMs: number
  readonly backMs: number
}

const tries = 4

/** On the machine's steady clock, which all its processes share. */
const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

const rest = async (turns: number, restMs = 0) => {
  for (let i = 0; i < turns; i++) await turn()
  if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs))
}

// ------------------------------------------------------------------------------------------- work

export class Writer {
  readonly #task: WriterTask
  readonly #store: Store
  readonly #tell: (telling: Telling) => void
  #seq = 0
  /** The highest of those that are durable. */
  #reachedSeq = 0
  #ended = false

  constructor(task: WriterTask, disk: Disk, tell: (telling: Telling) => void) {
    this.#task = task
    this.#tell = tell
    // What a roll has flushed would hide that the checkpoint was not.
    const rolls = task.without === undefined ? { rollFrom: 1 } : {}
    this.#store = fileStore({ directory: task.directory, ...rolls, ...task.retention }, disk)
  }

  /** Resolves when the store is closed. */
  async run(): Promise<void> {
    const loaded = await this.#persistent('open', () => this.#store.open)
    if (loaded !== undefined) {
      this.#tell({ _tag: 'opened' })
      this.#seq = loaded.answer.latestSeq
      this.#reachedSeq = loaded.answer.latestSeq
      const lives = Object.entries(this.#task.places).map(([id, place]) => this.#live(id, place))
      await Promise.all([
        Promise.all(lives).then(() => {
          this.#ended = true
        }),
        this.#compact(),
      ])
    }
    await this.#store.close()
  }

  async #live(id: string, from: number): Promise<void> {
    const { steps, turns, restMs, archivesEach = 4 } = this.#task
    for (let place = from + 1; place <= from + steps; place++) {
      if (!(await (isForgotten(place) ? this.#forget(id, place) : this.#commit(id, place)))) return
      if (place % 3 === 0 && !isForgotten(place)) {
        const calledMs = nowMs()
        const saved = await this.#store.saveSnapshot(snapshotAt(id, place))()
        if (E.isRight(saved)) this.#tell({ _tag: 'saved', id, place, calledMs, backMs: nowMs() })
        else this.#tell({ _tag: 'refused', operation: 'saveSnapshot', problem: saved.left.message })
      }
      if (place % archivesEach === 0 && !isForgotten(place)) {
        const location = await this.#persistent('archive', () =>
          this.#store.archive(archiveAt(id, place)),
        )
        if (location !== undefined) {
          const { answer, ...times } = location
          this.#tell({ _tag: 'archived', id, place, location: answer, ...times })
        }
      }
      await rest(turns, restMs)
    }
  }

  async #commit(id: string, place: number): Promise<boolean> {
    const done = await this.#persistent('commit', () => {
      this.#seq += 1
      const own = this.#seq
      return async () => E.map(() => own)(await this.#store.commit(commitAt(id, place, own))())
    })
    if (done === undefined) return false
    const { answer: seq, ...times } = done
    this.#reachedSeq = Math.max(this.#reachedSeq, seq)
    this.#tell({ _tag: 'reached', id, place, seq, ...times })
    return true
  }

  async #forget(id: string, place: number): Promise<boolean> {
    const done = await this.#persistent('forget', () =>
      this.#store.forget(id, incarnationAt(place)),
    )
    if (done === undefined) return false
    const { calledMs, backMs } = done
    this.#tell({ _tag: 'reached', id, place, calledMs, backMs })
    return true
  }

  // It may lag behind what is durable, but never falls behind the one before it.
  async #compact(): Promise<void> {
    const { checkpoints, turns, restMs } = this.#task
    let { folded, throughSeq } = this.#task
    for (let i = 0; i < checkpoints && !this.#ended; i++) {
      await rest(turns * 4, restMs)
      folded += 1
      throughSeq = Math.max(throughSeq, this.#reachedSeq - (folded % 3))
      this.#tell({ _tag: 'folding', number: folded, throughSeq })
      const calledMs = nowMs()
      const done = await this.#store.checkpoint(folded, throughSeq)()
      if (E.isRight(done)) this.#tell({ _tag: 'folded', number: folded, calledMs, backMs: nowMs() })
      else this.#tell({ _tag: 'refused', operation: 'checkpoint', problem: done.left.message })
    }
  }

  // Asks again a few times, as an engine does that waits for its disk; `undefined`: it was refused for good.
  async #persistent<A>(
    operation: string,
    call: () => TE.TaskEither<StoreError, A>,
  ): Promise<Answer<A> | undefined> {
    for (let i = 0; i < tries; i++) {
      const calledMs = nowMs()
      const result = await call()()
      if (E.isRight(result)) return { answer: result.right, calledMs, backMs: nowMs() }
      this.#tell({ _tag: 'refused', operation, problem: result.left.message })
      await turn()
    }
    return undefined
  }
}
