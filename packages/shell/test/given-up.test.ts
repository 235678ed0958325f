/** Whoever waits for what a process says is told when it is given up, also if it never tells its end. */
import type { Clock } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { heard } from '../src/heard.js'
import { type Host, nothingShown, type Process } from '../src/index.js'
import { startShell } from '../src/shell.js'

// On a host that was lost, nobody tells the end of what runs there.
const mute: Process = {
  identity: { pid: 1 },
  shows: nothingShown,
  startedIn: '/',
  write: () => true,
  resize: () => {},
  look: async () => ({ alive: true, foreground: [] }),
  signal: async () => false,
  surroundings: async () => ({}),
  settled: () => {},
  end: async () => ({ ended: [], letBe: [] }),
}
const host: Host = {
  name: 'nowhere',
  start: async () => ({ _tag: 'started', process: mute }),
}

test('a wait for a process that is given up ends', async () => {
  const timers = new Set<object>()
  const clock: Clock = {
    wallMs: () => 0,
    monotonicMs: () => 0,
    schedule: () => {
      const timer = {}
      timers.add(timer)
      return () => timers.delete(timer)
    },
  }
  const start = {
    sessionId: 's',
    command: 'sh',
    args: [],
    cwd: '/',
    environment: {},
    size: { cols: 80, rows: 24 },
  }
  const told: string[] = []
  const listener = {
    output: () => {},
    mark: () => {},
    gone: () => told.push('gone'),
  }
  const shell = await startShell(host, start, listener, clock, undefined)
  if (E.isLeft(shell)) throw new Error(shell.left.detail)
  const waiting = heard(shell.right, clock, 2 ** 31 - 1, () => undefined)
  expect(timers.size).toBe(1)
  shell.right.disown()
  expect(await waiting).toEqual({ _tag: 'seen', value: 'gone' })
  expect(timers.size).toBe(0)
  expect(told).toEqual([])
  expect(shell.right.write('late')).toBe(false)
})
