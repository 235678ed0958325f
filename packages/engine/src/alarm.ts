/**
 * The alarm: wakes sessions when their deadlines come, with one timer for all of them.
 *
 * Captures that fall due together are spread: an engine that starts with a hundred thousand sessions would
 * otherwise look at all of them in one turn, and again one interval later. What a recovery waits for is
 * never held back.
 */
import type { Clock } from '@session-recovery/core'
import TinyQueue from 'tinyqueue'

// ------------------------------------------------------------------------------------------ model

/** Who is to be woken. The alarm keeps two notes on it, so that it costs nothing more for most of its life. */
export interface Sleeper {
  /** When it wants to be woken, in engine time; `undefined`: not at all. The alarm's note. */
  wakesAtMs: number | undefined
  /** When its place in the queue comes, which may be sooner. The alarm's note. */
  queuedAtMs: number | undefined
  /** Whether its waking can wait while others are woken. */
  readonly canWait: boolean
  readonly wake: () => void
}

interface Place {
  readonly atMs: number
  readonly sleeper: Sleeper
}

export interface AlarmOptions {
  readonly clock: Clock
  readonly nowMs: () => number
  /** How often each session is captured; 0: never. */
  readonly intervalMs: number
  /** How many sessions there are. */
  readonly sessions: () => number
}

/** How long those who can wait are let wait before the next of them are woken. */
const roundMs = 10

/** So many of them are woken in one round whatever their number. */
const leastPerRound = 16

/** So much faster than once an interval each: what fell behind is caught up with. */
const haste = 1.25

const fewStale = 1_024

const earlier = (a: Place, b: Place): number => a.atMs - b.atMs

// ------------------------------------------------------------------------------------------ alarm

export class Alarm {
  readonly #options: AlarmOptions
  #queue = new TinyQueue<Place>([], earlier)
  /** Those who are due and can wait; taken from `#next` on. */
  #due: Sleeper[] = []
  #next = 0
  #stale = 0
  #timerAtMs = Number.POSITIVE_INFINITY
  #cancel: (() => void) | undefined
  #cancelRound: (() => void) | undefined
  #closed = false

  constructor(options: AlarmOptions) {
    this.#options = options
  }

  /** How many are due and have been let wait. */
  get waiting(): number {
    return this.#due.length - this.#next
  }

  /** Wakes `sleeper` at `atMs`, and no more when it was to be woken before; `undefined`: not at all. */
  set(sleeper: Sleeper, atMs: number | undefined): void {
    sleeper.wakesAtMs = atMs
    const { queuedAtMs } = sleeper
    if (atMs === undefined) {
      if (queuedAtMs !== undefined) this.#leaves(sleeper)
      return
    }
    // It is looked at when its place comes, and goes back to where it belongs.
    if (queuedAtMs !== undefined && queuedAtMs <= atMs) return
    if (queuedAtMs !== undefined) this.#leaves(sleeper)
    this.#queueUp(sleeper, atMs)
    this.#arm()
  }

  close(): void {
    this.#closed = true
    this.#rest()
    this.#cancelRound?.()
    this.#due = []
    this.#next = 0
  }

  #queueUp(sleeper: Sleeper, atMs: number): void {
    sleeper.queuedAtMs = atMs
    this.#queue.push({ atMs, sleeper })
  }

  // Its place stays, and would keep it in memory until it comes.
  #leaves(sleeper: Sleeper): void {
    sleeper.queuedAtMs = undefined
    this.#stale += 1
    if (this.#stale === this.#queue.length) this.#rest()
    if (this.#stale < fewStale || this.#stale * 2 < this.#queue.length) return
    const places = this.#queue.data.filter((place) => place.sleeper.queuedAtMs === place.atMs)
    this.#queue = new TinyQueue(places, earlier)
    this.#stale = 0
  }

  /** Nobody is to be woken. */
  #rest(): void {
    this.#cancel?.()
    this.#timerAtMs = Number.POSITIVE_INFINITY
    this.#queue = new TinyQueue<Place>([], earlier)
    this.#stale = 0
  }

  #arm(): void {
    const first = this.#queue.peek()
    if (this.#closed || first === undefined || first.atMs >= this.#timerAtMs) return
    this.#cancel?.()
    this.#timerAtMs = first.atMs
    const delayMs = Math.max(0, first.atMs - this.#options.nowMs())
    this.#cancel = this.#options.clock.schedule(delayMs, () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY
      this.#ring(this.#options.nowMs())
      this.#arm()
    })
  }

  #ring(nowMs: number): void {
    for (let place = this.#queue.peek(); place; place = this.#queue.peek()) {
      if (place.atMs > nowMs) break
      this.#queue.pop()
      const { sleeper } = place
      if (sleeper.queuedAtMs !== place.atMs) {
        this.#stale = Math.max(0, this.#stale - 1)
        continue
      }
      sleeper.queuedAtMs = undefined
      if (sleeper.wakesAtMs === undefined) continue
      if (sleeper.wakesAtMs > nowMs) this.#queueUp(sleeper, sleeper.wakesAtMs)
      else if (sleeper.canWait) this.#due.push(sleeper)
      else sleeper.wake()
    }
    if (this.#cancelRound === undefined) this.#round()
  }

  #round(): void {
    this.#cancelRound = undefined
    const { clock, nowMs, intervalMs, sessions } = this.#options
    const share = intervalMs > 0 ? (sessions() * roundMs * haste) / intervalMs : leastPerRound
    const end = Math.min(this.#due.length, this.#next + Math.max(leastPerRound, Math.ceil(share)))
    const now = nowMs()
    for (; this.#next < end; this.#next++) {
      const sleeper = this.#due[this.#next]
      // Meanwhile it may have been told to sleep on.
      const isDue = sleeper?.wakesAtMs !== undefined && sleeper.wakesAtMs <= now
      if (isDue) sleeper.wake()
    }
    if (this.#next < this.#due.length) {
      this.#cancelRound = clock.schedule(roundMs, () => this.#round())
      if (this.#next < fewStale) return
      this.#due = this.#due.slice(this.#next)
    } else this.#due = []
    this.#next = 0
  }
}
