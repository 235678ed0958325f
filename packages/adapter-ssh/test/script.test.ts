/** The scripts, run by this machine's own `sh`: any value arrives to the letter and nothing of it is run. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anyCharacter, failure, seedOf } from '@session-recovery/testkit'
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
const ran = (what: RemoteStart, file: 'run' | 'start' = 'run', path = process.env.PATH) => {
  execFileSync('sh', { input: `(\n${prepareScript(what)}\n) </dev/null`, cwd: home })
  const { stdout } = spawnSync('sh', [join(what.directory, file)], {
    cwd: home,
    env: { HOME: home, PATH: path },
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
  .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: anyCharacter })), { maxLength: 4 })
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

  test.each(['dash', 'bash'])(
    'hands on what a shell has a meaning of its own for, and exported functions (%s)',
    (shell) => {
      const bin = join(home, 'bin')
      mkdirSync(bin)
      symlinkSync(`/bin/${shell}`, join(bin, 'sh'))
      const environment = {
        ...Object.fromEntries(
          [
            'UID',
            'PPID',
            'SHELLOPTS',
            'OPTIND',
            'RANDOM',
            'IFS',
            'LC_ALL',
            '_',
            'SHLVL',
            'HOME',
          ].map((name) => [name, `of ${name}\n`]),
        ),
        ...Object.fromEntries([...'abcdefpstu', 'up', 'boot', 'OLDPWD'].map((name) => [name, '-'])),
        'BASH_FUNC_x%%': '() {  echo x\n}',
        'no.identifier': 'x',
        PATH: '/nowhere',
      }
      const what = start({ command: '/usr/bin/env', args: ['-0'], environment })
      const { output } = ran(what, 'run', `${bin}:${process.env.PATH}`)
      const { 'no.identifier': _, ...wanted } = environment
      const got = output
        .toString('utf8')
        .split('\0')
        .filter((entry) => entry !== '')
      expect(got.sort()).toEqual(
        Object.entries({ TERM: 'xterm-256color', PWD: home, ...wanted })
          .map(([name, value]) => `${name}=${value}`)
          .sort(),
      )
    },
  )

  test.each(['dash', 'bash'])('shows no value to others, and keeps none on disk (%s)', (shell) => {
    const secret = `hunter2-${process.pid}`
    const bin = join(home, 'bin')
    mkdirSync(bin)
    // What runs the scripts, and each program they run, notes what it was called with.
    const noted = join(home, 'noted')
    for (const program of ['sh', 'env', 'rm']) {
      const real = program === 'sh' ? `/bin/${shell}` : `/bin/${program}`
      const note = `{ printf '%s\\n' "$*"; } >> '${noted}'`
      writeFileSync(join(bin, program), `#!/bin/dash\n${note}\nexec ${real} "$@"\n`, {
        mode: 0o755,
      })
    }
    const what = start({
      args: ['-c', `tr '\\0' ' ' < /proc/$$/cmdline; grep -rl "$SECRET" '${join(home, 'start')}'`],
      environment: { PATH: process.env.PATH ?? '', SECRET: secret, 'npm/_auth': secret },
    })
    execFileSync('sh', { input: prepareScript(what), cwd: home })
    const { stdout } = spawnSync(join(bin, 'sh'), [join(what.directory, 'run')], {
      cwd: home,
      env: { HOME: home, PATH: `${bin}:${process.env.PATH}` },
    })
    const calls = readFileSync(noted, 'utf8')
    expect(calls.trim().split('\n').length).toBeGreaterThan(3)
    expect(calls).not.toContain(secret)
    expect(stdout.toString()).not.toContain(join(what.directory, 'run'))
    expect(existsSync(join(what.directory, 'run'))).toBe(false)
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
