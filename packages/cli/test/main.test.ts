/** The program as a user starts it: the built file, in a process of its own. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const run = (...args: string[]) =>
  spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })

test('an unknown command is named and ends with 64', () => {
  const { status, stdout, stderr } = run('nonsense')
  expect({ status, stdout, stderr }).toEqual({
    status: 64,
    stdout: '',
    stderr: "session-recovery: unknown command 'nonsense'\n",
  })
})

test('without a command it says what there is, and ends with 64', () => {
  const { status, stderr } = run()
  expect(status).toBe(64)
  expect(stderr).toContain('Usage: session-recovery')
})

test('help that was asked for is no error', () => {
  const { status, stdout } = run('--help')
  expect(status).toBe(0)
  expect(stdout).toContain('plan [options] [reason]')
})
