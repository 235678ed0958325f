/** A remote process, over lines that are scripted: what is asked of a host, and what is kept of it here. */
import { everythingShown } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import type { Connection } from '../src/connection.js'
import type { Control } from '../src/control.js'
import { ledgerOf } from '../src/ledger.js'
import type { Line, Switchboard } from '../src/line.js'
import { birthOf, type Resident, remoteProcess } from '../src/remote-process.js'
import { begun, type Held } from '../src/seat.js'

const directory = '/tmp/session-recovery-x'
const resident = (startTicks?: number): Resident => {
  const identity = {
    pid: 4_711,
    ...(startTicks === undefined ? {} : { startTicks, bootId: 'boot' }),
  }
  return {
    ...{ identity, leader: identity, directory, startedIn: '/', kept: undefined },
    ...{ sessionId: 'a', machine: 'x86_64', shows: everythingShown },
  }
}

const lineOf = (lost: string | undefined) => {
  const asked: string[] = []
  const listeners = new Set<(detail: string) => void>()
  const answered = async (script: string) => {
    asked.push(script)
    return E.right({ code: 0, bytes: Buffer.from('') })
  }
  const connection: Connection = {
    run: async () => E.left('not scripted'),
    lost: () => lost,
    onLost: (told) => {
      listeners.add(told)
      return () => listeners.delete(told)
    },
    close: async () => {},
  }
  const control = { run: answered, call: answered } as Control
  const line: Line = { connection, control, survey: async () => E.left('not scripted') }
  return { line, asked, listeners }
}

const boardOf = (next: Line, owed: string[] = []) =>
  ({
    take: async () => E.right(next),
    owe: (script: string) => owed.push(script),
    giveBack: async () => {},
    hangUp: async () => {},
  }) as unknown as Switchboard

const wire = { write: () => true, resize: () => {}, close: () => {} }
const listener = { output: () => {}, gone: () => {} }

describe('a process that is to be ended when its connection is lost', () => {
  const ended = async (startTicks?: number) => {
    const other = lineOf(undefined)
    const process = remoteProcess(
      resident(startTicks),
      { line: lineOf('lost').line, wire, birth: birthOf(), served: undefined },
      { board: boardOf(other.line), ledger: ledgerOf(), tidied: new Set() },
    )
    return { leftover: await process.end(), asked: other.asked.join('\n') }
  }

  test('is ended over another by its number and the moment of its start', async () => {
    const { leftover, asked } = await ended(12)
    expect(asked).toContain('4711')
    expect(leftover).toEqual({ ended: [], letBe: [] })
  })

  test('is never ended by its number alone, and that is said', async () => {
    const { leftover, asked } = await ended()
    expect(asked).not.toContain('4711')
    expect(asked).toContain(directory)
    expect(leftover.unreached).toBe(true)
  })
})

describe('of a process that is ended', () => {
  const begunOn = (line: Line) => {
    const kept = { name: `dtach:${directory}`, identity: resident(12).identity }
    const own = { ...resident(12), kept }
    const berth = { kept, resident: own, keeper: 'dtach', frame: 'f', served: undefined } as const
    const held = {
      ...{ board: boardOf(line), ledger: ledgerOf(), tidied: new Set<string>() },
      berths: new Map([[kept.name, berth]]),
    }
    const begunNow = begun(
      own,
      undefined,
      { line, wire, birth: birthOf() },
      listener,
      held as unknown as Held,
    )
    if (begunNow._tag !== 'started') throw new Error('not started')
    return { process: begunNow.process, held }
  }

  test('nothing is kept: no listener, no berth', async () => {
    const { line, listeners } = lineOf(undefined)
    const { process, held } = begunOn(line)
    expect([listeners.size, held.berths.size]).toEqual([1, 1])
    await process.end()
    expect([listeners.size, held.berths.size]).toEqual([0, 0])
  })
})

test('of what a program says before its session hears it no more is kept than a bound', () => {
  const birth = birthOf('joined')
  birth.listener.output('joined')
  for (let i = 0; i < 200; i += 1) birth.listener.output('x'.repeat(16_384))
  birth.listener.output('the last')
  expect(birth.heard().length).toBe(1_048_576)
  expect(birth.heard().endsWith('the last')).toBe(true)
})
