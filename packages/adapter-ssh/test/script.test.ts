/** The scripts, run by this machine's own `sh`: any value arrives to the letter and nothing of it is run. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failure, seedOf } from '@session-recovery/testkit'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { forgetScript, prepareScript, type RemoteStart } from '../src/script.js'
import { exitIn } from '../src/wire.js'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ssh-script-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const frame = 'f'.repeat(32)
const esc = '\u001b'
const bell = '\u0007'
const said = new RegExp(`${esc}\\]6973;${frame};V;\\d+;([^${bell}]*);${frame}${bell}`, 'g')

const start = (more: Partial<RemoteStart>): RemoteStart => ({
  directory: join(home, 'start'),
  command: '/bin/sh',
  args: [],
  cwd: home,
  environment: { PATH: process.env.PATH ?? '' },
  frame,
  integration: undefined,
  ...more,
})

// As the control channel runs a script, and then as a terminal runs what it wrote.
const ran = (what: RemoteStart, file: 'run' | 'start' = 'run') => {
  execFileSync('sh', { input: `(\n${prepareScript(what)}\n) </dev/null`, cwd: home })
  const { stdout } = spawnSync('sh', [join(what.directory, file)], {
    cwd: home,
    env: { HOME: home },
  })
  const words = [...stdout.toString('latin1').matchAll(said)]
  const first = words[0]
  return {
    words: words.map(([, word = '']) => word),
    output: stdout.subarray((first?.index ?? 0) + (first?.[0].length ?? 0)),
  }
}

const hostile = [
  ...['$(touch pwned)', '`touch pwned`', "'; touch pwned; '", '"; touch pwned; "', '\\', "'", '"'],
  ...['-n', '--', '-e', '*', '~', '$HOME', '!!', '\n', '\r\n', 'a\nb', '&& touch pwned', '|', '#'],
  ...[
    '\u001b]6973;',
    '\u0007',
    '\u0001',
    '\u0080\u0081',
    'é',
    '😀',
    '%s%n',
    '<x',
    '>x',
    '',
    ' ',
    '\t',
  ],
]
const value = fc
  .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: 'binary' })), { maxLength: 4 })
  .map((parts) => Buffer.from(parts.join('').replaceAll('\0', '')).toString())

describe('a start', () => {
  test('hands 400 hostile words and 400 hostile variables to the program, to the letter', () => {
    const seed = seedOf()
    const words = fc.sample(value, { seed, numRuns: 400 })
    const environment = Object.fromEntries(words.map((word, index) => [`V${index}`, word]))
    const args = ['-c', 'printf "%s\\0" "$@"; exec env -0', 'sh', ...words]
    const { output } = ran(
      start({ args, environment: { PATH: process.env.PATH ?? '', ...environment } }),
    )
    const got = output.toString('utf8').split('\0')
    const variables = new Map(
      got.slice(words.length).map((entry) => {
        const at = entry.indexOf('=')
        return [entry.slice(0, at), entry.slice(at + 1)]
      }),
    )
    const wrong = words.find(
      (word, index) => got[index] !== word || variables.get(`V${index}`) !== word,
    )
    if (wrong !== undefined) throw failure(JSON.stringify(wrong), seed, undefined)
    expect(existsSync(join(home, 'pwned'))).toBe(false)
  })

  test('begins in any directory, to the letter', () => {
    const seed = seedOf()
    const names = fc
      .sample(value, { seed, numRuns: 60 })
      .map((name) => name.replaceAll('/', '').slice(0, 60))
      .filter((name) => name !== '' && name !== '.' && name !== '..')
    for (const [index, name] of names.entries()) {
      const cwd = join(home, 'd', name)
      mkdirSync(cwd, { recursive: true })
      const directory = join(home, `start${index}`)
      const { output, words } = ran(start({ directory, cwd, args: ['-c', 'printf "%s" "$PWD"'] }))
      expect([output.toString('utf8'), words[0]?.split(' ')[2], seed]).toEqual([cwd, '0', seed])
    }
    expect(existsSync(join(home, 'pwned'))).toBe(false)
  })

  test('goes up to the nearest directory that there is, and says how far', () => {
    const cwd = join(home, 'gone', '-', 'x')
    const { output, words } = ran(start({ cwd, args: ['-c', 'pwd'] }))
    expect(output.toString().trim()).toBe(home)
    expect(words[0]?.split(' ')[2]).toBe('3')
  })

  test('tells a program that is missing, and one whose path would be taken for a variable', () => {
    expect(ran(start({ command: 'no-such-program' })).words).toEqual(['N no such program'])
    writeFileSync(join(home, 'a=b'), '#!/bin/sh\n', { mode: 0o755 })
    const odd = start({ command: join(home, 'a=b'), directory: join(home, 'odd') })
    expect(ran(odd).words[0]).toMatch(/^N /)
  })

  test('keeps its files from others, and leaves none', () => {
    const integration = {
      nonce: 'n',
      files: (directory: string) => ({ init: `in ${directory}`, '.zshrc': 'x' }),
      args: () => [],
      environment: () => ({}),
    }
    const what = start({ integration, args: ['-c', 'ls -la'] })
    execFileSync('sh', { input: prepareScript(what), cwd: home })
    expect(statSync(what.directory).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(what.directory)) {
      expect(statSync(join(what.directory, name)).mode & 0o777).toBe(0o600)
    }
    execFileSync('sh', { input: forgetScript(what.directory), cwd: home })
    expect(existsSync(what.directory)).toBe(false)
  })
})

describe('the end of a program that is kept', () => {
  test.each([
    ['exit 0', { exitCode: 0 }],
    ['exit 137', { exitCode: 137 }],
    ['kill -KILL $$', { signal: 'SIGKILL' }],
    ['kill -HUP $$', { signal: 'SIGHUP' }],
    ['kill -SEGV $$', { signal: 'SIGSEGV' }],
  ])('is told apart: %s', (line, exit) => {
    const { words } = ran(start({ args: ['-c', line] }), 'start')
    expect(exitIn(words.at(-1) ?? '')).toEqual(exit)
    expect(existsSync(join(home, 'start'))).toBe(false)
  })
})
