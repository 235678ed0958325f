/**
 * Many processes that want one store, stopped and killed at any moment: no two of them ever act at once, a
 * killed owner frees the store, and what a former owner goes on writing is ignored.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Chance, chance } from '@session-recovery/testkit'
import { type Note, notesIn, ownerIn, storyOf } from './ownership-log.js'
import type { RivalTask } from './ownership-rival.js'
import type { Row, Size, Tally, Trial } from './row.js'

// ------------------------------------------------------------------------------------------ model

const processes: Readonly<Record<Size, number>> = { ci: 16, soak: 64 }
const acquisitions: Readonly<Record<Size, number>> = { ci: 50, soak: 200 }

/** How often at most a rival is killed, of each hundred acquisitions: each death costs a new process. */
const deathsPerHundred = 12

const program = fileURLToPath(new URL('../dist/ownership-rival.js', import.meta.url))

interface Rival {
  readonly slot: number
  acquired: number
  child: ChildProcess | undefined
  stopped: boolean
}

/** What was done to the rivals. */
interface Deeds {
  stops: number
  stopsOfOwner: number
  kills: number
  killsOfOwner: number
}

// ------------------------------------------------------------------------------------------ arena

class Arena {
  readonly #trial: Pick<Trial, 'directory' | 'seed' | 'progress'>
  readonly #each: number
  readonly #more: Partial<RivalTask>
  readonly #rivals: readonly Rival[]
  readonly #notes: Note[] = []
  readonly #file: number
  readonly deeds: Deeds = { stops: 0, stopsOfOwner: 0, kills: 0, killsOfOwner: 0 }
  #read = 0
  #rest = ''
  #owner: number | undefined

  constructor(
    trial: Pick<Trial, 'directory' | 'seed' | 'progress'>,
    rivals: number,
    each: number,
    more: Partial<RivalTask>,
  ) {
    this.#trial = trial
    this.#each = each
    this.#more = more
    const path = join(trial.directory, 'notes.jsonl')
    writeFileSync(path, '')
    this.#file = openSync(path, 'r')
    this.#rivals = Array.from({ length: rivals }, (_, slot) => ({
      slot,
      acquired: 0,
      child: undefined,
      stopped: false,
    }))
  }

  get notes(): readonly Note[] {
    return this.#notes
  }

  get isOver(): boolean {
    return this.#rivals.every(
      ({ acquired, child }) => acquired >= this.#each && child === undefined,
    )
  }

  /** Starts who has died before it was through. */
  start(): void {
    for (const rival of this.#rivals) {
      if (rival.child !== undefined || rival.acquired >= this.#each) continue
      const { directory, seed } = this.#trial
      const task: RivalTask = {
        directory,
        slot: rival.slot,
        acquisitions: this.#each - rival.acquired,
        seed,
        rivals: this.#rivals.length,
        ...this.#more,
      }
      const child = fork(program, [JSON.stringify(task)], { execArgv: [], stdio: 'inherit' })
      rival.child = child
      rival.stopped = false
      child.once('exit', (code) => {
        this.catchUp()
        rival.child = undefined
        // It ended by itself, and would again.
        if (code === null || code === 0) return
        this.#notes.push({ _tag: 'wrong', pid: child.pid ?? 0, what: `ended with ${code}` })
        rival.acquired = this.#each
      })
    }
  }

  /** Reads what was noted since. */
  catchUp(): void {
    const piece = Buffer.alloc(1 << 16)
    for (;;) {
      const bytes = readSync(this.#file, piece, 0, piece.length, this.#read)
      if (bytes === 0) break
      this.#read += bytes
      this.#rest += piece.toString('utf8', 0, bytes)
    }
    const whole = this.#rest.lastIndexOf('\n') + 1
    const fresh = notesIn(this.#rest.slice(0, whole))
    this.#rest = this.#rest.slice(whole)
    this.#notes.push(...fresh)
    this.#owner = ownerIn(fresh, this.#owner)
    for (const note of fresh) {
      const rival = note._tag === 'acquired' ? this.#rivals[note.slot] : undefined
      if (rival !== undefined) rival.acquired += 1
    }
    this.#trial.progress(this.#rivals.reduce((sum, { acquired }) => sum + acquired, 0))
  }

  /** Stops or kills somebody, mostly the owner; lets everybody go on that was stopped long enough. */
  async strike(random: Chance): Promise<void> {
    this.catchUp()
    const alive = this.#rivals.filter(({ child, stopped }) => child !== undefined && !stopped)
    const owner = alive.find(({ child }) => child?.pid === this.#owner)
    if (alive.length === 0) return
    const victim =
      owner !== undefined && random.percent(70) ? owner : alive[random.whole(0, alive.length - 1)]
    if (victim === undefined) return
    const acquired = this.#notes.filter(({ _tag }) => _tag === 'acquired').length
    const mayKill = this.deeds.kills * 100 < (acquired + 8) * deathsPerHundred
    if (mayKill && random.percent(40)) {
      this.deeds.kills += 1
      if (victim === owner) this.deeds.killsOfOwner += 1
      // Half of them die while they are stopped.
      if (random.percent(50)) victim.child?.kill('SIGSTOP')
      victim.child?.kill('SIGKILL')
      return
    }
    this.deeds.stops += 1
    if (victim === owner) this.deeds.stopsOfOwner += 1
    victim.stopped = true
    const { child } = victim
    child?.kill('SIGSTOP')
    await sleep(random.whole(5, 45))
    child?.kill('SIGCONT')
    victim.stopped = false
  }

  /** Ends whoever still runs. */
  end(): void {
    for (const { child } of this.#rivals) child?.kill('SIGKILL')
    closeSync(this.#file)
  }
}

// -------------------------------------------------------------------------------------------- row

/** Lets rivals fight for the store in `directory`. */
export const fight = async (
  trial: Pick<Trial, 'directory' | 'seed' | 'progress'>,
  rivals: number,
  each: number,
  more: Partial<RivalTask> = {},
): Promise<Tally> => {
  const random = chance(trial.seed)
  const arena = new Arena(trial, rivals, each, more)
  try {
    for (arena.start(); !arena.isOver; arena.start()) {
      await sleep(random.whole(2, 22))
      await arena.strike(random)
    }
    arena.catchUp()
  } finally {
    arena.end()
  }
  const { acquired, deaths, stale, wrong } = storyOf(arena.notes)
  const { stops, stopsOfOwner, kills, killsOfOwner } = arena.deeds
  return {
    tried: acquired,
    survived: acquired - wrong.length,
    lost: wrong,
    notes: [
      `${rivals} processes; ${stops} stops, ${stopsOfOwner} of the owner; ${kills} kills, ` +
        `${killsOfOwner} of the owner; ${deaths} owners died; ${stale} stale writes`,
    ],
  }
}

export const ownershipRow: Row = {
  name: 'ownership',
  promise: 'Two engines never own one store at once; kill -9 frees it; a former owner is ignored',
  tries: {
    ci: processes.ci * acquisitions.ci,
    soak: processes.soak * acquisitions.soak,
  },
  as: 'ordinary',
  missing: () => {
    try {
      readFileSync('/proc/self/stat')
      return undefined
    } catch {
      return 'there is no /proc to see by whether a process lives'
    }
  },
  run: (trial) => {
    const rivals = Math.min(processes[trial.size], trial.tries)
    return fight(trial, rivals, Math.ceil(trial.tries / rivals))
  },
}
