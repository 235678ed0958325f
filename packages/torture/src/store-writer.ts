/** A process that owns a store and writes into it until all is done, it is killed, or its disk is gone. */
import { readdirSync, readlinkSync, writeSync } from 'node:fs'
import { realDisk } from '@session-recovery/adapter-fs'
import type { Telling } from './store-history.js'
import { Writer, type WriterTask } from './store-work.js'
import { withoutFlush } from './without-flush.js'

// Synchronous: what was said is out of this process before it can be killed.
const tell = (telling: Telling): void => {
  try {
    writeSync(1, `${JSON.stringify(telling)}\n`)
  } catch {
    // Nobody listens any more.
    process.exit(1)
  }
}

const descriptors = '/proc/self/fd'

/** The files of `directory` that this process has open. */
const openFiles = (directory: string): readonly string[] =>
  readdirSync(descriptors).flatMap((name) => {
    try {
      const file = readlinkSync(`${descriptors}/${name}`)
      return file.startsWith(directory) ? [file] : []
    } catch {
      // The one by which the folder was just read.
      return []
    }
  })

const task = JSON.parse(process.argv[2] ?? '') as WriterTask
const disk = task.without === undefined ? realDisk : withoutFlush(realDisk, task.without)
await new Writer(task, disk, tell).run()
tell({ _tag: 'ended', leftOpen: openFiles(task.directory) })
