/**
 * A store in a process of its own: every call goes there and comes back, so that kill -9 is what a crash
 * is, and two stores are two processes. For the conformance suite and for tests of ownership.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type Store, type StoreError, storeCalls } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { StoreLocation } from './conformance/store-rig.js'
import type { Answer, Call, Question } from './store-server.js'

// ------------------------------------------------------------------------------------------ model

/** A store that tells by itself what it declares, before any process is there for it. */
export type Declared = Pick<Store, 'name' | 'durability' | 'exclusive' | 'limitBytes'>

/** Where hosted stores are made. */
export interface Hosting {
  /** The program: it must call `serveStores`. */
  readonly program: string
  readonly declared: Declared
}

// ------------------------------------------------------------------------------------------ hosts

const gone: E.Either<StoreError, never> = E.left({
  _tag: 'StoreUnavailable',
  operation: 'call',
  message: 'the process of the store is gone',
})

/** One process that holds one store at a time. */
class Host {
  readonly child: ChildProcess
  readonly #waiting = new Map<number, (answer: unknown) => void>()
  #asked = 0

  constructor(program: string) {
    // Programs are built ones: a runner's own ways of loading sources are not theirs.
    this.child = fork(program, {
      execArgv: [],
      serialization: 'advanced',
      stdio: ['ignore', 2, 2, 'ipc'],
    })
    this.child.on('message', ({ id, answer }: Answer) => {
      this.#waiting.get(id)?.(answer)
      this.#waiting.delete(id)
    })
    this.child.once('exit', () => {
      for (const settle of this.#waiting.values()) settle(gone)
      this.#waiting.clear()
    })
  }

  get isGone(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  ask(call: Question['call'], ...args: readonly unknown[]): Promise<unknown> {
    if (this.isGone || !this.child.connected) return Promise.resolve(gone)
    this.#asked += 1
    const question: Question = { id: this.#asked, call, args }
    return new Promise((settle) => {
      this.#waiting.set(question.id, settle)
      this.child.send(question, (error) => {
        if (error !== null) settle(gone)
      })
    })
  }

  async kill(): Promise<void> {
    if (this.isGone) return
    const exited = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await exited
  }
}

/** Processes for hosted stores; one whose store was closed serves the next, until {@link close}. */
export class StoreHosts {
  readonly #hosting: Hosting
  readonly #all = new Set<Host>()
  readonly #idle: Host[] = []

  constructor(hosting: Hosting) {
    this.#hosting = hosting
  }

  /** The stores of one place; `place` goes to the program's `make`. */
  location(place: string, rest: Pick<StoreLocation, 'spoil' | 'remove'>): StoreLocation {
    const inUse = new Set<Host>()
    const crash = async () => {
      for (const host of inUse) this.#all.delete(host)
      await Promise.all([...inUse].map((host) => host.kill()))
      inUse.clear()
    }
    return {
      ...rest,
      store: () => this.#storeAt(place, inUse),
      crash,
      remove: async () => {
        await crash()
        await rest.remove()
      },
    }
  }

  /** Ends every process. */
  async close(): Promise<void> {
    await Promise.all([...this.#all].map((host) => host.kill()))
    this.#all.clear()
    this.#idle.length = 0
  }

  #take(): Host {
    for (let host = this.#idle.pop(); host !== undefined; host = this.#idle.pop()) {
      if (!host.isGone) return host
    }
    const host = new Host(this.#hosting.program)
    this.#all.add(host)
    return host
  }

  // The process is taken when the store is first asked something, and given back when it is closed.
  #storeAt(place: string, inUse: Set<Host>): Store {
    let host: Host | undefined
    const ask = (call: Call, ...args: readonly unknown[]) => {
      if (host === undefined) {
        if (call === 'close') return Promise.resolve(undefined)
        host = this.#take()
        inUse.add(host)
        void host.ask('make', place)
      }
      return host.ask(call, ...args)
    }
    const calling =
      (call: Exclude<Call, 'open' | 'close'>) =>
      (...args: readonly unknown[]) =>
      () =>
        ask(call, ...args)
    const asStore = {
      ...this.#hosting.declared,
      ...Object.fromEntries(
        storeCalls.map((call) => [
          call,
          call === 'open' ? () => ask(call) : calling(call as never),
        ]),
      ),
      close: async () => {
        await ask('close')
        if (host === undefined) return
        if (!host.isGone) this.#idle.push(host)
        inUse.delete(host)
        host = undefined
      },
    }
    return asStore as unknown as Store
  }
}
