/**
 * What sessions are kept in during a simulation, and what becomes of it when the engine dies: a store in
 * memory, or the store of `adapter-fs` on a disk in memory or on this machine's.
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Disk,
  type FileStoreOptions,
  fileStore,
  realDisk,
  type TakeOwnership,
} from '@session-recovery/adapter-fs'
import type { Store } from '@session-recovery/core'
import { memoryMedium } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import type { Chance } from './chance.js'
import type { EngineLife } from './engine-life.js'
import type { FaultBook, StoreKind } from './fault.js'
import { type MemoryDisk, memoryDisk } from './memory-disk.js'
import type { Pledge } from './pledge.js'
import { QueuedDisk } from './queued-disk.js'
import { simulatedDisk } from './simulated-disk.js'
import { moodyStore, simulatedStore } from './simulated-store.js'
import { promisesSettled } from './virtual-clock.js'

export interface Altered {
  /** What stands between the store and its disk. */
  readonly disk?: (disk: Disk) => Disk
}

/** What a medium is to be like. */
export interface MediumOptions {
  readonly alteration?: Altered
  /** How much a store on a disk keeps of what is over. */
  readonly retention?: Retention
  /** From how many sessions on a checkpoint has a roll. */
  readonly rollFrom?: number
  /** Of the faults of single calls of a disk, so many happen. */
  readonly faultShare?: number
}

/** How much a store on a disk keeps of what is over, and how often it reads all of it again. */
export type Retention = Pick<
  FileStoreOptions,
  'journalEntriesPerSession' | 'forgottenSessions' | 'archives' | 'scrubEveryMs'
>

// The journal is replayed in the end: all of it has to be there.
const usualRetention: Retention = { journalEntriesPerSession: 1_000, scrubEveryMs: 0 }

export class Medium {
  /** How many more times the disk refuses whatever it is asked for. */
  #refusals = 0
  readonly #kind: StoreKind
  readonly #faults: FaultBook
  readonly #chance: Chance
  readonly #altered: Altered
  readonly #kept: Retention & Pick<FileStoreOptions, 'rollFrom'>
  readonly #faultShare: number
  readonly #memory = memoryMedium()
  readonly #queued = new QueuedDisk(realDisk)
  #disk: MemoryDisk = memoryDisk()
  #directory: string | undefined
  #owner: EngineLife | undefined
  #isCutAtDeath = false
  #store: Store | undefined

  constructor(
    kind: StoreKind,
    faults: FaultBook,
    chance: Chance,
    { alteration = {}, retention = usualRetention, rollFrom, faultShare = 1 }: MediumOptions,
  ) {
    this.#altered = alteration
    this.#kept = rollFrom === undefined ? retention : { ...retention, rollFrom }
    this.#faultShare = faultShare
    this.#kind = kind
    this.#faults = faults
    this.#chance = chance
  }

  /** The store beneath, of the life that is lived. */
  get store(): Store | undefined {
    return this.#store
  }

  /** The files on the disk in memory; none where there is no such disk. */
  files(): ReadonlyMap<string, Buffer> {
    return this.#kind === 'disk' ? this.#disk.files() : new Map()
  }

  /** Lets everything go on that need not wait for virtual time. */
  readonly settled = (): Promise<void> =>
    this.#kind === 'fs' ? this.#queued.settled() : promisesSettled()

  /** The store as `life` sees it. */
  storeFor(life: EngineLife, pledge: Pledge): Store {
    const habits = {
      life,
      faults: this.#faults,
      chance: this.#chance,
      isDown: () => this.#isDown(),
    }
    const diskHabits = { ...habits, faultShare: this.#faultShare }
    const store =
      this.#kind === 'memory'
        ? moodyStore({ ...habits, medium: this.#memory })
        : this.#onDisk(simulatedDisk({ ...diskHabits, disk: this.#beneath() }), life)
    this.#store = store
    return simulatedStore(store, life, pledge)
  }

  /** The disk refuses so many calls, whatever they are. */
  failFor(calls: number): void {
    this.#refusals = calls
  }

  /** When the engine dies next, the machine loses its power. */
  cutAtDeath(): void {
    this.#isCutAtDeath = this.#faults.may('power cut')
  }

  /** What a death leaves. */
  async afterDeath(): Promise<void> {
    await this.settled()
    if (this.#kind === 'fs') await this.#queued.closeAll()
    this.#owner = undefined
    if (!this.#isCutAtDeath) return
    this.#isCutAtDeath = false
    if (this.#faults.isCalm) return
    this.#faults.happened('power cut')
    this.#disk = this.#disk.cut(() => this.#chance.whole(0, 999_999) / 1_000_000)
  }

  async remove(): Promise<void> {
    await this.#queued.closeAll()
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true, force: true })
  }

  #isDown(): boolean {
    if (this.#refusals === 0 || !this.#faults.may('disk outage')) return false
    this.#refusals -= 1
    this.#faults.happened('disk outage')
    return true
  }

  #beneath(): Disk {
    const disk = this.#kind === 'fs' ? this.#queued : this.#disk
    return this.#altered.disk?.(disk) ?? disk
  }

  #onDisk(disk: Disk, life: EngineLife): Store {
    const directory = this.#kind === 'fs' ? this.#place() : '/data/store'
    const { wallMs, schedule } = life.time.clock
    return fileStore({ directory, wallMs, schedule, ...this.#kept }, disk, this.#own(life))
  }

  #place(): string {
    this.#directory ??= mkdtempSync(join(tmpdir(), 'simulation-'))
    return this.#directory
  }

  /** As the kernel does it: whoever dies owns nothing any more. */
  #own(life: EngineLife): TakeOwnership {
    return async ({ directory }) => {
      if (this.#owner !== undefined && this.#owner !== life && !this.#owner.isDead) {
        return E.left({ _tag: 'StoreOwned', message: `${directory} is owned` })
      }
      this.#owner = life
      const release = async () => {
        if (this.#owner === life) this.#owner = undefined
      }
      return E.right({ release })
    }
  }
}
