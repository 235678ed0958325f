/** What is called off or closed leaves nothing behind: no process, no timer, no handle, no file. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '@session-recovery/core'
import { afterEach, expect, it } from 'vitest'
import { died, eventually, foreground, processesNaming, type Rig, realClock, rigOf } from './rig.js'

const rigs: Rig[] = []
const rig = (...args: Parameters<typeof rigOf>): Rig => {
  const made = rigOf(...args)
  rigs.push(made)
  return made
}
afterEach(async () => {
  await Promise.all(rigs.splice(0).map((made) => made.close()))
})

it('a run that is called off leaves no process behind', async () => {
  const made = rig()
  const session = await made.open('a')
  const snapshot = await made.snapshot('a')
  process.kill(session.pid() ?? 0, 'SIGKILL')
  await died(made, 'a')
  writeFileSync(join(made.home, '.bashrc'), 'sleep 61')
  const abort = new AbortController()
  const running = made.run('a', 'restore', { snapshot, signal: abort.signal })
  await eventually('the start-up file hangs', () =>
    processesNaming(made.home).length === 2 ? true : undefined,
  )
  abort.abort()
  expect(await running).toMatchObject({ _tag: 'failed' })
  expect(processesNaming(made.home)).toEqual([])
  expect(await made.run('a', 'restart', { snapshot, signal: abort.signal })).toMatchObject({
    _tag: 'failed',
  })
  expect(processesNaming(made.home)).toEqual([])
})

it('an interrupt that is called off stops', async () => {
  const made = rig()
  const session = await made.open('a')
  session.write(`bash -c 'trap "" INT TERM; cat'\r`)
  await foreground(made, 'a', 'waiting-for-line')
  const abort = new AbortController()
  const running = made.run('a', 'prompt-interrupt', { signal: abort.signal })
  abort.abort()
  expect(await running).toMatchObject({ _tag: 'failed', detail: 'called off' })
  await foreground(made, 'a', 'waiting-for-line')
})

it('close ends everything, also what is just being started', async () => {
  const place = mkdtempSync(join(tmpdir(), 'pty-close-'))
  const before = process.env.TMPDIR
  process.env.TMPDIR = place
  const timers = new Set<object>()
  const clock: Clock = {
    ...realClock,
    schedule: (delayMs, task) => {
      const timer = {}
      timers.add(timer)
      const cancel = realClock.schedule(delayMs, () => {
        timers.delete(timer)
        task()
      })
      return () => {
        timers.delete(timer)
        cancel()
      }
    },
  }
  try {
    const made = rig({ clock })
    const busy = await made.open('busy')
    await busy.exec(`bash -c 'trap : HUP TERM; while :; do sleep 0.1; done' &`)
    busy.write('trap "" TERM; cat\r')
    await foreground(made, 'busy', 'waiting-for-line')
    const stopped = await made.open('stopped')
    process.kill(stopped.pid() ?? 0, 'SIGSTOP')
    const folders = () => readdirSync(place).filter((name) => name.startsWith('session-recovery-'))
    // What stood there for a shell is gone with its first prompt: an app that is killed leaves nothing.
    expect(folders()).toEqual([])
    writeFileSync(join(made.home, '.bashrc'), 'sleep 61')
    const opening = made.open('opening').catch((error: Error) => error.message)
    const folder = await eventually('an init file', () => folders()[0])
    expect(statSync(join(place, folder)).mode & 0o777).toBe(0o700)
    for (const file of readdirSync(join(place, folder))) {
      expect(statSync(join(place, folder, file)).mode & 0o777).toBe(0o600)
    }
    await made.driver.close()
    expect(await opening).toContain('SpawnFailed')
    expect(processesNaming(made.home)).toEqual([])
    expect(folders()).toEqual([])
    expect(timers.size).toBe(0)
    await expect(made.open('late')).rejects.toThrow(/DriverClosed/)
    expect(await made.run('late', 'restart', {}).catch((error: Error) => error.message)).toContain(
      'DriverError',
    )
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    rmSync(place, { recursive: true, force: true })
  }
})

it('a program that used the driver ends by itself once it is closed', () => {
  const made = rig()
  const program = `
    import { ptyDriver } from '@session-recovery/adapter-pty'
    const schedule = (ms, task) => { const t = setTimeout(task, ms); return () => clearTimeout(t) }
    const clock = { wallMs: Date.now, monotonicMs: () => performance.now(), schedule }
    const driver = ptyDriver({ clock })
    const [cwd, PATH] = process.argv.slice(-2)
    const env = { PATH, HOME: cwd }
    const opened = await driver.open('a', { command: 'bash', cwd, env })()
    await opened.right.exec('true')
    await driver.close()
    console.log('closed')
  `
  const args = ['--input-type=module', '-e', program, made.home, made.env.PATH ?? '']
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const ended = spawnSync(process.execPath, args, { cwd, encoding: 'utf8', timeout: 15_000 })
  expect(ended).toMatchObject({ status: 0, signal: null, stdout: 'closed\n' })
})
