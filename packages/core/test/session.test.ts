/** What the engine reads of the app's options: what is missing or odd stays unknown; and what a shell is. */
import { isShellCommand, knownOptions } from '@session-recovery/core'
import { anyText, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const unknown = { kind: 'local', command: undefined, workingDirectory: '', environment: {} }

test('reads command, directory, environment and whether it is remote', () => {
  expect(
    knownOptions({
      command: 'bash',
      cwd: '/srv',
      environment: { A: '1', B: '1' },
      env: { B: '2' },
      sshOptions: { host: 'h' },
      more: 1,
    }),
  ).toEqual({
    kind: 'ssh',
    command: 'bash',
    workingDirectory: '/srv',
    environment: { A: '1', B: '2' },
  })
})

test('of anything else nothing is known, and nothing throws', () => {
  for (const options of [undefined, null, 5, 'bash', [], {}]) {
    expect(knownOptions(options)).toEqual(unknown)
  }
  expect(knownOptions({ command: 5, cwd: [], env: { A: 1 }, environment: 'A=1' })).toEqual(unknown)
  holds(
    fc.property(fc.anything(), (options) => {
      const known = knownOptions(options)
      expect(['local', 'ssh']).toContain(known.kind)
      expect(typeof known.workingDirectory).toBe('string')
    }),
  )
})

test('what an object inherits is not its own', () => {
  expect(knownOptions(Object.create({ cwd: '/srv', sshOptions: {} }))).toEqual(unknown)
  const hostile = JSON.parse('{"__proto__": {"cwd": "/srv"}, "env": {"__proto__": "x"}}')
  const { environment, workingDirectory } = knownOptions(hostile)
  expect(workingDirectory).toBe('')
  expect(Object.getPrototypeOf(environment)).toBe(Object.prototype)
})

test.each([undefined, null, false])('sshOptions %s is a local session', (sshOptions) => {
  expect(knownOptions({ sshOptions }).kind).toBe('local')
})

test('an environment of texts is kept as it is', () => {
  holds(
    fc.property(fc.dictionary(anyText, anyText, { noNullPrototype: true }), (env) => {
      expect(Object.entries(knownOptions({ env }).environment)).toEqual(Object.entries(env))
    }),
  )
})

const shells = 'sh bash zsh fish dash ash ksh mksh csh tcsh nu pwsh cmd.exe'.split(' ')

test.each(shells)('%s is a shell, wherever it lies and whatever it is given', (name) => {
  for (const command of [name, `/usr/bin/${name}`, `C:\\bin\\${name}`, `-${name}`, ` ${name}\t-l`])
    expect(isShellCommand(command)).toBe(true)
  for (const command of [`${name}x`, `x-${name}`, `node ${name}`, `${name}/node`, `--${name}`])
    expect(isShellCommand(command)).toBe(false)
})

test('no command is the default shell; an empty one is none', () => {
  expect(isShellCommand(undefined)).toBe(true)
  for (const command of ['', ' ', '/', '/bin/', 'z-sh', 'ba-sh'])
    expect(isShellCommand(command)).toBe(false)
})
