/**
 * An app that is killed: an engine over the store on disk and a real shell that holds a secret, which the
 * app's own memory alone knows. Once the shell's state is stored it says so and waits for its death.
 *
 * The argument is JSON: { home }, the directory of the shell and of the store.
 */
import { join } from 'node:path'
import { fileStore } from '@session-recovery/adapter-fs'
import { policyFrom } from '@session-recovery/core'
import { createEngine, systemClock } from '@session-recovery/engine'
import { ptyDriver } from '../dist/index.js'

const { home } = JSON.parse(process.argv[2])
const right = (either) => {
  if (either._tag === 'Right') return either.right
  throw new Error(JSON.stringify(either.left))
}

const driver = ptyDriver({ clock: systemClock })
const store = fileStore({ directory: join(home, 'store') })
const policy = right(policyFrom({ snapshotInterval: 0 }))
const engine = createEngine({ policy, driver, store })
await engine.start()
const env = { HOME: home, PATH: process.env.PATH, HISTFILE: '/dev/null', TERM: 'xterm' }
const sessionOptions = { command: 'bash', cwd: home, env }
const session = right(await driver.open('a', sessionOptions)())
await engine.register('a', { sessionOptions, attended: false })
await session.exec('export PLAIN=kept API_TOKEN=hunter2-of-this-life')
const isKept = async () => {
  const { environment = {} } = (await engine.snapshot('a')) ?? {}
  return environment.PLAIN === 'kept' && environment.API_TOKEN !== undefined
}
while (!(await isKept())) await new Promise((resolve) => setTimeout(resolve, 20))
process.stdout.write('kept\n')
// Until it is killed; it ends by itself should nobody do so.
setTimeout(() => process.exit(1), 60_000)
