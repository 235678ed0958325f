/** A power cut after each step of a checkpoint, on a disk in memory. */
import type { Store } from '@session-recovery/core'
import {
  changing,
  type MemoryDisk,
  memoryDisk,
  probed,
  systemError,
} from '@session-recovery/testkit'
import type { Disk } from '../src/index.js'
import { everything } from './sample.js'

/** A store, and what is in it before the checkpoint. */
export interface CutStore<S extends Store> {
  readonly storeOn: (disk: Disk) => S
  readonly fill: (store: S) => Promise<void>
}

/** Shows `judge` what is on the medium, for each step it may be the last, and whether the checkpoint was done. */
export const whereverCut = async <S extends Store>(
  { storeOn, fill }: CutStore<S>,
  judge: (after: MemoryDisk, isDone: boolean) => Promise<void>,
): Promise<void> => {
  for (let lastStep = 0; ; lastStep++) {
    let steps = 0
    for (const chance of [0, 0.5, 0.999]) {
      const disk = memoryDisk()
      let broken = false
      steps = 0
      const dying = probed(disk, ({ name }) => {
        if (!broken || !changing.has(name)) return
        steps += 1
        if (steps > lastStep) throw systemError('EIO')
      })
      const store = storeOn(dying)
      await fill(store)
      broken = true
      await store.checkpoint('folded', everything)()
      await store.close()
      await judge(
        disk.cut(() => chance),
        steps <= lastStep,
      )
    }
    if (steps <= lastStep) break
  }
}
