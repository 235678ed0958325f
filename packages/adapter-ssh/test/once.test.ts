/**
 * No command is run twice on a remote host: whether the connection or the remote shell is killed, before,
 * after and long after the write of a command that appends a line to a file, there is one line at the most.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect } from 'vitest'
import type { SshSession } from '../src/index.js'
import {
  cleared,
  eventually,
  killChildren,
  type Rig,
  rigOf,
  type Station,
  stationOf,
  testWith,
  valueIn,
} from './rig.js'

let station: Station
let rig: Rig

afterEach(() => cleared(station, rig))

interface Step {
  readonly name: string
  readonly line: string
  /** What is there when the fault comes. */
  readonly before: string
  /** It has not ended then. */
  readonly isRunning: boolean
}

// What it prints is not in the line that was typed: it is seen once its start was told.
const waits = 'printf "be%s\\n" gun; until [ -e ~/go ]; do sleep 0.1; done'

const steps: readonly Step[] = [
  {
    name: 'while it runs, before the write',
    line: `${waits}; echo once >> ~/log`,
    before: '',
    isRunning: true,
  },
  {
    name: 'after the write, before it ends',
    line: `echo once >> ~/log; ${waits}`,
    before: 'once\n',
    isRunning: true,
  },
  {
    name: 'at the next prompt',
    line: 'echo once >> ~/log',
    before: 'once\n',
    isRunning: false,
  },
]

const written = (): string => {
  const log = join(station.home, 'log')
  return existsSync(log) ? readFileSync(log, 'utf8') : ''
}

const brought = async ({ line, isRunning, before }: Step): Promise<SshSession> => {
  station = await stationOf()
  rig = await rigOf({ stations: [station], hosts: [station.declared({ keeper: 'dtach' })] })
  const session = await rig.open('a')
  await rig.kept('a')
  if (isRunning) {
    session.write(`${line}\r`)
    await eventually('its start', () => session.output().includes('begun') || undefined)
  } else {
    expect(await session.exec(line)).toMatchObject({ exitCode: 0 })
  }
  expect(written()).toBe(before)
  return session
}

const go = (): void => writeFileSync(join(station.home, 'go'), '')

describe.each(steps)('a command, $name', (step) => {
  testWith(['dtach'], "the server's child is killed: it runs on, once", async () => {
    const session = await brought(step)
    const from = rig.told.length
    killChildren(station)
    const { strategy, receipt } = await rig.fact('a', 'incident-recovered', from)
    expect(strategy).toBe('reconnect')
    expect(receipt.items.jobs.unknownCommands ?? []).toEqual([])
    expect(written()).toBe(step.before)
    go()
    await eventually('its line', () => written() !== '' || undefined)
    // Were anything sent to the shell besides, this would wait behind it.
    expect(await valueIn(session, '$?')).toBe('0')
    expect(written()).toBe('once\n')
    expect(session.unknownCommands()).toEqual([])
  })

  testWith(['dtach'], 'the remote shell is killed: it is named, and not run again', async () => {
    const session = await brought(step)
    const unknown = step.isRunning ? [step.line] : []
    const from = rig.told.length
    process.kill(session.pid() ?? 0, 'SIGKILL')
    const { strategy, receipt } = await rig.fact('a', 'incident-recovered', from)
    expect(strategy).toBe('restore')
    expect(receipt.items.jobs.unknownCommands ?? []).toEqual(unknown)
    go()
    expect(await valueIn(session, '$?')).toBe('0')
    expect(written()).toBe(step.before)
    expect(session.unknownCommands()).toEqual(unknown)
  })
})
