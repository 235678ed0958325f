/** A seat: what is said of a session is clean before it is decided on, and what says nothing asks for no secret. */
import { memorySecrets } from '@session-recovery/engine'
import { expect, test } from 'vitest'
import { answered, never, started, world } from './scripted-world.js'

test('what is said of one that was found lacks the secrets that its former life took out', async () => {
  const policy = { snapshotInterval: 0, resumeOnStart: false }
  const secrets = memorySecrets()
  const env = { A_TOKEN: 'hunter2hunter2' }
  const first = await started({ policy, secrets }, { sessionOptions: { env } })
  first.crash()
  const second = world({ policy, secrets, script: { run: () => never }, after: first })
  await answered(second, second.engine.start())
  expect(second.entries().map(({ event }) => event.type)).toEqual(['resumed'])
  expect(second.control.operations).not.toContain('readSnapshot')
  await answered(second, second.engine.reportFailure('s', 'it said hunter2hunter2'))
  const said = JSON.stringify(second.entries().at(-1))
  expect(said).toContain('it said ')
  expect(said).not.toContain('hunter2hunter2')
})
