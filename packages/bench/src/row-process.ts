/** The process of one row: runs it, tells what it does, and in the end what was measured. */
import { seedFrom } from './baseline.js'
import { rows } from './catalogue.js'
import type { Task, Telling } from './play.js'

const tell = (telling: Telling): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) resolve()
    else process.send(telling, () => resolve())
  })

const quietMs = 100
let toldAtMs = Number.NEGATIVE_INFINITY

// Telling costs time, too: what is measured must not notice.
const progress = (doing: string): void => {
  if (performance.now() - toldAtMs < quietMs) return
  toldAtMs = performance.now()
  void tell({ _tag: 'progress', doing })
}

const run = async ({ name, rounds, directory, baseline }: Task): Promise<Telling> => {
  const row = rows.find((candidate) => candidate.name === name)
  if (row === undefined) throw new Error(`there is no row ${JSON.stringify(name)}`)
  const seed = baseline === undefined ? undefined : await seedFrom(baseline)
  return { _tag: 'measured', measured: await row.run({ rounds, directory, seed, progress }) }
}

const broken = (error: unknown): Telling => ({
  _tag: 'broken',
  why: error instanceof Error ? (error.stack ?? error.message) : String(error),
})

await tell(await run(JSON.parse(process.argv[2] ?? '') as Task).catch(broken))
// What a row leaves open must not keep its process.
process.exit()
