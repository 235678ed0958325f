/**
 * A roll that is written beside a checkpoint. That it cannot be written is no reason to give the checkpoint up:
 * without it the next opening takes longer.
 */
import { recordVersion } from '@session-recovery/core'
import { type Disk, type DiskFile, unfinished } from './disk.js'
import { Draft, pieceBytes } from './draft.js'
import {
  blockBytes,
  type CheckpointPlace,
  crcOfBlock,
  type RollStatement,
  rollLine,
  rollName,
  rollVersion,
} from './roll.js'
import type { Extent } from './session-index.js'

interface Opened {
  readonly file: DiskFile
  readonly draft: Draft
}

const blockSizeBytes = 1 << 20

export class RollDraft {
  readonly #disk: Disk
  readonly #directory: string
  readonly #segment: string
  readonly #path: string
  readonly #keys = new Map<string | undefined, string>()
  readonly #blocks: RollStatement['blocks'] = []
  #opened: Opened | undefined
  #problem: { readonly error: unknown } | undefined
  #ids: string[] = []
  #heads: Buffer[] = []
  #places: number[] = []
  #due: number[] = []
  #waitingBytes = 0

  constructor(disk: Disk, directory: string, segment: string) {
    this.#disk = disk
    this.#directory = directory
    this.#segment = segment
    this.#path = `${directory}/${rollName(segment)}`
  }

  /**
   * Adds a session.
   *
   * @param head its head, which stands at `place` of the segment.
   * @param isDue it cannot wait to be read.
   * @param sealed with which key its snapshot is sealed, if it has one.
   */
  async add(
    sessionId: string,
    head: Buffer,
    place: Extent,
    isDue: boolean,
    sealed: { readonly key: string | undefined } | undefined,
  ): Promise<void> {
    if (isDue) this.#due.push(this.#ids.length)
    if (sealed !== undefined && !this.#keys.has(sealed.key)) this.#keys.set(sealed.key, sessionId)
    this.#ids.push(sessionId)
    this.#heads.push(head)
    this.#places.push(place.offset)
    this.#waitingBytes += head.length
    if (this.#waitingBytes >= blockSizeBytes) await this.#endBlock()
  }

  /** Gives it its name; the checkpoint is on the medium. Answers what has kept it from being written. */
  async keep(checkpoint: CheckpointPlace): Promise<{ readonly error: unknown } | undefined> {
    await this.#endBlock()
    await this.#tried(async ({ file, draft }) => {
      const { offset, bytes, line, crc } = checkpoint
      const keys = [...this.#keys].map(([key, sessionId]) =>
        key === undefined ? { sessionId } : { sessionId, key },
      )
      draft.add(
        rollLine({
          format: rollVersion,
          record: recordVersion,
          segment: this.#segment,
          checkpoint: { offset, bytes, line, crc },
          keys,
          blocks: this.#blocks,
        }),
      )
      await draft.flush(0)
      await file.sync()
      await this.#disk.rename(`${this.#path}${unfinished}`, this.#path)
      await this.#disk.syncDirectory(this.#directory)
    })
    return this.#problem
  }

  /** Lets go of it; nothing is left of one that was not kept. */
  async discard(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.file.close().catch(() => undefined)
    if (opened !== undefined) {
      await this.#disk.remove(`${this.#path}${unfinished}`).catch(() => undefined)
    }
  }

  async #endBlock(): Promise<void> {
    if (this.#ids.length === 0) return
    const [ids, heads, places, due] = [this.#ids, this.#heads, this.#places, this.#due]
    this.#ids = []
    this.#heads = []
    this.#places = []
    this.#due = []
    this.#waitingBytes = 0
    await this.#tried(async ({ draft }) => {
      const sizes = heads.map(({ length }) => length)
      const bytes = blockBytes({ ids, sizes, places, due }, heads)
      this.#blocks.push({ bytes: bytes.length, crc: crcOfBlock(bytes) })
      draft.add(bytes)
      await draft.flush(pieceBytes)
    })
  }

  async #tried(work: (opened: Opened) => Promise<void>): Promise<void> {
    if (this.#problem !== undefined) return
    try {
      this.#opened ??= await this.#open()
      await work(this.#opened)
    } catch (error) {
      this.#problem = { error }
    }
  }

  async #open(): Promise<Opened> {
    const file = await this.#disk.create(`${this.#path}${unfinished}`)
    return { file, draft: new Draft(file, this.#segment) }
  }
}
