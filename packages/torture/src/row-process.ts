/** The process of one row: runs it, tells how far it is, and in the end what came of it. */
import { rows } from './catalogue.js'
import type { Task, Telling } from './play.js'
import type { Tally } from './row.js'

const tell = (telling: Telling): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) resolve()
    else process.send(telling, () => resolve())
  })

const task = JSON.parse(process.argv[2] ?? '') as Task
const row = rows.find(({ name }) => name === task.name)
if (row === undefined) throw new Error(`there is no row ${JSON.stringify(task.name)}`)

const broken = (error: unknown): Tally => ({
  tried: 0,
  survived: 0,
  lost: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
})

const { tries, seed, directory, size } = task
const progress = (tried: number) => void tell({ _tag: 'progress', tried })
const tally = await row.run({ tries, seed, directory, size, progress }).catch(broken)
await tell({ _tag: 'tally', tally })
process.disconnect?.()
