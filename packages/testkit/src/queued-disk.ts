/**
 * A real disk whose calls are made one after the other, in the order in which they were asked for, and
 * that can be waited for: what a simulation on it does depends on no race between two of them.
 */
import type { Disk, DiskFile } from '@session-recovery/adapter-fs'
import { promisesSettled } from './virtual-clock.js'

export class QueuedDisk implements Disk {
  readonly #disk: Disk
  readonly #open = new Set<DiskFile>()
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(disk: Disk) {
    this.#disk = disk
  }

  readonly status: Disk['status'] = (path) => this.#inTurn(() => this.#disk.status(path))
  readonly makeDirectory: Disk['makeDirectory'] = (path) =>
    this.#inTurn(() => this.#disk.makeDirectory(path))
  readonly setMode: Disk['setMode'] = (path, mode) =>
    this.#inTurn(() => this.#disk.setMode(path, mode))
  readonly list: Disk['list'] = (path) => this.#inTurn(() => this.#disk.list(path))
  readonly create: Disk['create'] = (path) =>
    this.#inTurn(async () => this.#file(await this.#disk.create(path)))
  readonly open: Disk['open'] = (path) =>
    this.#inTurn(async () => this.#file(await this.#disk.open(path)))
  readonly rename: Disk['rename'] = (from, to) => this.#inTurn(() => this.#disk.rename(from, to))
  readonly remove: Disk['remove'] = (path) => this.#inTurn(() => this.#disk.remove(path))
  readonly syncDirectory: Disk['syncDirectory'] = (path) =>
    this.#inTurn(() => this.#disk.syncDirectory(path))
  readonly filesystemType: Disk['filesystemType'] = (path) =>
    this.#inTurn(() => this.#disk.filesystemType(path))

  /** Returns when every call was answered, and what went on from there asked for no other. */
  async settled(): Promise<void> {
    await promisesSettled()
    while (this.#waiting > 0) {
      await this.#last
      await promisesSettled()
    }
  }

  /** Closes what is open still, as a process that dies does. */
  async closeAll(): Promise<void> {
    const open = [...this.#open]
    this.#open.clear()
    await Promise.allSettled(open.map((file) => file.close()))
  }

  #file(opened: DiskFile): DiskFile {
    this.#open.add(opened)
    return {
      read: (position, bytes) => this.#inTurn(() => opened.read(position, bytes)),
      write: (bytes, position) => this.#inTurn(() => opened.write(bytes, position)),
      sync: () => this.#inTurn(opened.sync),
      close: () =>
        this.#inTurn(() => {
          this.#open.delete(opened)
          return opened.close()
        }),
    }
  }

  #inTurn<A>(call: () => Promise<A>): Promise<A> {
    this.#waiting += 1
    const done = this.#last.then(call).finally(() => {
      this.#waiting -= 1
    })
    this.#last = done.catch(() => undefined)
    return done
  }
}
