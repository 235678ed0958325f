/**
 * The main job, as a person starts it: the built program breaks real shells and shows how they come back.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ptyDriver } from '@session-recovery/adapter-pty'
import { systemClock } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, expect, test } from 'vitest'

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url))
let top = ''
let data = ''

// A path as people have them: what is quoted wrongly does not come back from it.
beforeEach(async () => {
  top = await mkdtemp(join(tmpdir(), 'demo-'))
  data = join(top, "it's a place")
  await mkdir(data)
})
afterEach(() => rm(top, { recursive: true, force: true }))

interface Ended {
  readonly status: number | null
  readonly output: string
}

const started = (...more: readonly string[]) => {
  const child = spawn(process.execPath, [program, 'demo', '--data', data, ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const ended = new Promise<Ended>((resolve) => {
    const hear = (chunk: Buffer) => {
      output += chunk.toString()
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('close', (status) => resolve({ status, output }))
  })
  return { child, ended, output: () => output }
}

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  for (let tries = 0; tries < 500; tries++) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('it did not come about within 10 s')
}

/** The child of `parent` that works in a directory of this name. */
const shellIn = async (parent: ChildProcess, directory: string): Promise<number | undefined> => {
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const cwd = await readlink(`/proc/${name}/cwd`).catch(() => '')
    const exe = await readlink(`/proc/${name}/exe`).catch(() => '')
    const isOurs = cwd.startsWith(data) && basename(cwd) === directory && basename(exe) === 'bash'
    if (isOurs && Number(name) !== parent.pid) return Number(name)
  }
  return undefined
}

test('every shell ends as it should, with receipts, a timeline and statistics', async () => {
  const { status, output } = await started().ended
  expect(output).toContain('6 of 7 sessions recovered, 1 exhausted')
  expect(output).toContain('Each ended as it should, with evidence; no secret is on disk')
  for (const shown of [
    'process killed by SIGKILL',
    'process exited with code 137',
    'Session unresponsive for extended period',
    'backoff-began 1000 ms',
    'attempt 2',
    'of these commands the outcome is unknown, they are not run again: sleep 300',
    'observed, from the mark: first signed prompt',
    'chosen: the first rule whose conditions all hold',
    'archived, 3 attempts',
    'attempts that recovered',
  ]) {
    expect(output).toContain(shown)
  }
  // Nobody looks at a terminal here: nothing is redrawn, nothing is coloured.
  expect(output).not.toContain('\u001b[')
  expect(output).toContain('not brought back in 3 attempts')
  expect(output).toMatch(/archive +archives\//)
  const files = await readdir(data, { recursive: true, withFileTypes: true })
  const texts = await Promise.all(
    files.filter((f) => f.isFile()).map((f) => readFile(join(f.parentPath ?? f.path, f.name))),
  )
  expect(texts.length).toBeGreaterThan(2)
  for (const text of texts) expect(text.includes('correct-horse')).toBe(false)
  const [folder] = await readdir(data)
  expect(output).toContain(`What was stored is in ${join(data, folder ?? '')}`)
  expect(status).toBe(0)
}, 60_000)

test('a session that ends otherwise is named, and the exit status is not 0', async () => {
  const run = started()
  await until(() => run.output().includes('now each is broken'))
  let pid: number | undefined
  await until(async () => {
    pid = await shellIn(run.child, 'waiting')
    return pid !== undefined
  })
  // Its prompt was to come back in the same process; now it cannot.
  process.kill(pid as number, 'SIGKILL')
  const { status, output } = await run.ended
  expect(output).toContain('NOT AS IT SHOULD BE: waiting: its process was replaced')
  expect(status).toBe(1)
}, 60_000)

test('interrupted, it leaves no shell behind', async () => {
  const run = started()
  await until(() => run.output().includes('now each is broken'))
  run.child.kill('SIGINT')
  const { status } = await run.ended
  expect(status).toBe(130)
  for (const directory of ['killed', 'stopped', 'asking', 'waiting', 'second-try']) {
    expect(await shellIn(run.child, directory), directory).toBeUndefined()
  }
}, 60_000)

test('on a terminal it draws a line a session, with the countdown of the backoff', async () => {
  const driver = ptyDriver({ clock: systemClock })
  try {
    const opened = await driver.open('terminal', {
      command: process.execPath,
      args: [program, 'demo', '--data', data],
      cwd: data,
      env: { PATH: process.env.PATH ?? '', TERM: 'xterm-256color', HOME: data },
      cols: 140,
      rows: 60,
    })()
    if (E.isLeft(opened)) throw new Error(opened.left.message)
    let seen = ''
    opened.right.onData((text) => {
      seen += text
    })
    await until(() => seen.includes('What was stored is in') && opened.right.pid() === undefined)
    expect(seen).toMatch(/attempt 2 in \d\.\d s/)
    expect(seen).toContain('\u001b[32m')
  } finally {
    await driver.close()
  }
}, 60_000)

test('the inspector is served while it runs', async () => {
  const { status, output } = await started('--inspect').ended
  expect(output).toMatch(/Inspector: ws:\/\/127\.0\.0\.1:\d+\/\?token=\S{22}/)
  expect(status).toBe(0)
}, 60_000)

test('without bash it says so and fails', async () => {
  const child = spawn(process.execPath, [program, 'demo', '--data', data], {
    env: { PATH: data },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const status = await new Promise((resolve) => child.on('close', resolve))
  expect(said).toContain('there is no bash on this machine')
  expect(status).not.toBe(0)
}, 60_000)
