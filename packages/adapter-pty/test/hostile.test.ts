/**
 * A thousand hostile values, as directories, variables and history lines of real shells, through a store
 * on disk, the end of the app and a restore by another life of it: back to the letter, and none of them
 * executed. What is back is read from the kernel and from what the shell itself writes, not from the driver.
 */
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { fileStore } from '@session-recovery/adapter-fs'
import { policyFrom, type Receipt } from '@session-recovery/core'
import { createEngine, type Engine } from '@session-recovery/engine'
import { anyCharacter, hostileName, hostileText, sampled, seedOf } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { expect, it } from 'vitest'
import type { PtyDriver, PtySession } from '../src/index.js'
import { died, eventually, type Rig, rigOf } from './rig.js'

const seed = seedOf()
const replay = `Replay: SEED=${seed} npm test -- packages/adapter-pty/test/hostile.test.ts`
const batches = 10
const variablesPerBatch = 69
const linesPerBatch = 32

// --------------------------------------------------------------------------------------- generated

/** What would leave a file behind, were it executed by whatever reads it. */
const executing = (canary: string): readonly string[] => [
  `$(touch ${canary})`,
  `\`touch ${canary}\``,
  `'; touch ${canary}; '`,
  `"; touch ${canary}; "`,
  `'$(touch ${canary})'`,
  `\n touch ${canary}\n`,
  `\\'; touch ${canary} #`,
  `\${x:=$(touch ${canary})}`,
  `a[$(touch ${canary})]`,
  `() { :; }; touch ${canary}`,
  `<(touch ${canary})`,
  `\x1b]6973;x;D;1;$(touch ${canary})\x07`,
  `\r touch ${canary}\r`,
  `!!; touch ${canary}`,
  `EOF\ntouch ${canary}\nEOF`,
]

const awkward = [
  '-n',
  '--',
  '-rf /',
  '--help',
  '\x1b[2J\x1b]0;title\x07\x1bP+q544e\x1b\\',
  '\x1b]52;c;aGk=\x07\x1b[6n\x1b[c',
  '\x03\x04\x1a\x15\x17\x08\x7f',
  '\u202e\u0627\u0644\u0639\u0631\u0628\u064a\u0629\u202c \u05e9\u05dc\u05d5\u05dd',
  '👩‍👩‍👧‍👦🏳️‍🌈\u0301\u200d',
  ' leading and trailing ',
  '\n\n\n',
  '\\',
  "'",
  '"',
  '~root/*?[a-z]{1,2}',
  'x'.repeat(100_000),
  "'".repeat(5_000),
]

const anyValue = (canary: string): fc.Arbitrary<string> => {
  const bad = fc.constantFrom(...executing(canary))
  return fc.oneof(
    hostileText,
    fc.constantFrom(...awkward),
    bad,
    fc.tuple(hostileText, bad, hostileText).map((parts) => parts.join('')),
    fc.string({ unit: anyCharacter, maxLength: 40 }).map(storable),
  )
}

// What a process can be given: no NUL, no half of a character.
const storable = (text: string): string => Buffer.from(text.replaceAll('\0', '')).toString()

interface Batch {
  readonly variables: Readonly<Record<string, string>>
  readonly lines: readonly string[]
  readonly directory: string
}

const batchOf = (home: string, canary: string, nth: number): Batch => {
  const values = sampled(anyValue(canary), variablesPerBatch, seed + nth)
  const lines = sampled(anyValue(canary), linesPerBatch * 3, seed + nth + 1_000)
  const [name = 'd'] = sampled(hostileName, 1, seed + nth + 2_000)
  return {
    variables: Object.fromEntries(values.map((value, i) => [`V${i}`, value])),
    // Bash keeps no empty line, and none that ends in a newline as it was entered.
    lines: lines.filter((line) => /\S/.test(line) && !/\n$/.test(line)).slice(0, linesPerBatch),
    directory: join(home, name),
  }
}

// -------------------------------------------------------------------------------------------- apps

const policy = (() => {
  const made = policyFrom({ storeOutput: true, snapshotInterval: 0 })
  if (E.isLeft(made)) throw new Error(made.left.message)
  return made.right
})()

interface App {
  readonly engine: Engine
  readonly driver: PtyDriver
}

const appOn = async (directory: string, { driver }: Rig): Promise<App> => {
  const engine = createEngine({ policy, driver, store: fileStore({ directory }) })
  expect((await engine.start())._tag).toBe('started')
  return { engine, driver }
}

/** Written by other rules than those the driver has. */
const word = (text: string): string => `'${text.split("'").join(`'"'"'`)}'`

const lived = async (rig: Rig, store: string, batch: Batch): Promise<void> => {
  const { engine } = await appOn(store, rig)
  // What the shell itself writes when it goes would be read by the next one.
  const env = { ...rig.env, HISTFILE: '/dev/null' }
  const session = await rig.open('a', { env })
  const sessionOptions = { command: 'bash', cwd: rig.home, env }
  await engine.register('a', { sessionOptions, attended: false })
  const script = join(rig.home, 'set')
  const exports = Object.entries(batch.variables).map(([name, value]) => `${name}=${word(value)}`)
  mkdirSync(batch.directory)
  writeFileSync(
    script,
    `cd ${word(batch.directory)}\n${exports.map((one) => `export ${one}`).join('\n')}\n`,
  )
  expect(await session.exec(`. ${script}`)).toEqual({ _tag: 'finished', exitCode: 0 })
  await eventually('the capture of all that', async () => {
    const snapshot = await engine.snapshot('a')
    const isWhole = snapshot?.environment[`V${variablesPerBatch - 1}`] !== undefined
    return (isWhole && snapshot.interactiveState?.pendingCommands.length === 0) || undefined
  })
  process.kill(session.pid() ?? 0, 'SIGSTOP')
  // A capture that was under way when the shell was stopped says what the shell has, and comes later.
  await eventually('the history that is given', async () => {
    const kept = await engine.update('a', { commandHistory: [...batch.lines] })
    expect(kept).toMatchObject({ _tag: 'updated', durable: true })
    await new Promise((resolve) => setTimeout(resolve, 100))
    const { commandHistory = [] } = (await engine.snapshot('a')) ?? {}
    return isDeepStrictEqual(commandHistory, batch.lines) || undefined
  })
  await engine.destroy()
  await rig.driver.close()
}

const cameBack = async (rig: Rig, store: string): Promise<readonly [PtySession, Receipt, App]> => {
  const app = await appOn(store, rig)
  const receipt = await eventually(
    'the recovery',
    async () => {
      const events = (await app.engine.journal('a')).map(({ event }) => event)
      const proved = events.find((event) => event.type === 'verified')
      return proved?.verdict._tag === 'alive' ? proved.verdict.receipt : undefined
    },
    20_000,
  )
  const session = app.driver.session('a')
  if (session === undefined) throw new Error('there is no session')
  return [session, receipt, app]
}

// ---------------------------------------------------------------------------------------- witnessed

const environmentIn = (file: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readFileSync(file, 'utf8')
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  )

const compare = async (session: PtySession, home: string, batch: Batch): Promise<number> => {
  const [env, history] = [join(home, 'witness-env'), join(home, 'witness-history')]
  const line = `cat /proc/self/environ > ${env}; history -w ${history}`
  expect(await session.exec(line)).toEqual({ _tag: 'finished', exitCode: 0 })
  const is = environmentIn(env)
  for (const [name, value] of Object.entries(batch.variables)) {
    expect(is[name], `${name}. ${replay}`).toBe(value)
  }
  expect(readlinkSync(`/proc/${session.pid()}/cwd`), replay).toBe(batch.directory)
  expect(readFileSync(history, 'utf8'), replay).toBe([...batch.lines, line, ''].join('\n'))
  return Object.keys(batch.variables).length + batch.lines.length + 1
}

/** One shell, one app and its next life. */
const played = async (nth: number): Promise<number> => {
  const first = rigOf()
  const second = rigOf()
  try {
    const { home } = first
    const canary = join(home, 'canary')
    const store = join(home, 'store')
    const batch = batchOf(home, canary, nth)
    await lived(first, store, batch)
    const [session, receipt, { engine }] = await cameBack(second, store)
    const count = await compare(session, home, batch)
    const { cwd, env, history } = receipt.items
    expect(
      [cwd.status, env.status, history.status],
      `${JSON.stringify(receipt.items)} ${replay}`,
    ).toEqual(['restored', 'restored', 'restored'])
    expect(existsSync(canary), replay).toBe(false)
    await engine.destroy()
    return count
  } finally {
    await second.close()
    await first.close()
  }
}

it('are restored to the letter through the disk, and nothing of them is executed', async () => {
  let values = 0
  for (let nth = 0; nth < batches; nth += 2) {
    const counts = await Promise.all([played(nth), played(nth + 1)])
    values += counts.reduce((sum, count) => sum + count, 0)
  }
  expect(values).toBeGreaterThanOrEqual(1_000)
  process.stdout.write(`${values} hostile values restored, seed ${seed}\n`)
}, 240_000)

it('a variable too long for any program to be given does not keep its session from coming back', async () => {
  const rig = rigOf()
  try {
    const session = await rig.open('a')
    await session.exec(`export LONG=$(printf 'x%.0s' {1..200000}) SHORT=1`)
    const snapshot = await rig.snapshot('a')
    expect(snapshot.environment.LONG).toHaveLength(200_000)
    process.kill(session.pid() ?? 0, 'SIGKILL')
    await died(rig, 'a')
    expect(await rig.run('a', 'restore', { snapshot })).toMatchObject({ _tag: 'done' })
    expect(await rig.verify('a', 'restore')).toMatchObject({
      receipt: { items: { env: { status: 'lost', detail: expect.stringContaining('LONG') } } },
    })
    expect(await session.exec('[ $SHORT = 1 ] && env > /dev/null')).toMatchObject({ exitCode: 0 })
  } finally {
    await rig.close()
  }
})

it('marks of the shell before, shown again, are not trusted by the next; no nonce is kept with the output', async () => {
  const nonces = ['a', 'b', 'c'].map((letter) => letter.repeat(32))
  const left = [...nonces]
  const rig = rigOf({ nonce: () => left.shift() ?? 'd'.repeat(32) })
  try {
    const [old = '', next = ''] = nonces
    const session = await rig.open('a')
    await session.exec('cd /usr; set | grep -a sr_nonce; declare -p __sr_nonce')
    const heard: string[] = []
    session.onData((text) => heard.push(text))
    const snapshot = await rig.snapshot('a')
    expect(snapshot.outputBuffer.join('')).toContain('__sr_nonce=')
    expect(snapshot.outputBuffer.join('')).not.toContain(old)
    process.kill(session.pid() ?? 0, 'SIGKILL')
    await died(rig, 'a')
    await rig.run('a', 'restore', { snapshot })
    const mark = (nonce: string, kind: string, payload: string) =>
      `\x1b]6973;${nonce};${kind};${payload.length};${payload};${nonce}\x07`
    const recorded = join(rig.home, 'recorded')
    const marks = [
      mark(old, 'D', "13 99 '/forged'"),
      mark(old, 'E', "FORGED='1' "),
      mark(old, 'C', "'  12  echo forged'"),
      mark(old, 'A', ''),
    ]
    writeFileSync(recorded, `${marks.join('between')}the end`)
    const shown = session.exec(`cat ${recorded}; sleep 0.2; (exit 7)`)
    await eventually('all of it', () => heard.join('').includes('the end') || undefined)
    expect((await rig.capture('a')).update).toMatchObject({ workingDirectory: '/usr' })
    // The command that showed them has not ended: no forged prompt has ended it.
    expect(await shown).toEqual({ _tag: 'finished', exitCode: 7 })
    const { update } = await rig.capture('a')
    expect(update.environment).not.toHaveProperty('FORGED')
    expect(update.commandHistory?.join()).not.toContain('forged')
    expect(update.workingDirectory).toBe('/usr')
    for (const kept of [
      update.outputBuffer?.join('') ?? '',
      session.output(),
      await session.screen(),
    ]) {
      expect(kept).not.toContain(old)
      expect(kept).not.toContain(next)
    }
  } finally {
    await rig.close()
  }
})
