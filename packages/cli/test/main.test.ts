/** The program as a user starts it: the built file, in a process of its own. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url))

test('an unknown command is named and ends with 64', () => {
  const { status, stderr } = spawnSync(process.execPath, [program, 'nonsense'], {
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({
    status: 64,
    stderr: 'session-recovery: no such command: nonsense\n',
  })
})
