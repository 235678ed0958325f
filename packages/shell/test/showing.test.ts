/** What a host does not declare to show does not enter the driver, whatever the host does show. */
import { showables, unshown } from '@session-recovery/core'
import { describe, expect, test } from 'vitest'
import {
  asDeclared,
  everythingShown,
  type HostShowable,
  hostShowables,
  nothingShown,
  type Process,
  shownBy,
} from '../src/index.js'

const waiting = { _tag: 'reading', files: ['/dev/pts/1'], bounded: false } as const
const leader = { pid: 7, name: 'bash', state: 'S', group: 7, waiting } as const
const asked: boolean[] = []

const open = (shows: Process['shows']): Process => ({
  identity: { pid: 7, startTicks: 8, bootId: 'boot' },
  shows,
  startedIn: '/',
  write: () => true,
  resize: () => {},
  look: async (flags) => {
    asked.push(flags)
    return {
      alive: true,
      leader,
      terminal: '/dev/pts/1',
      foregroundGroup: 7,
      foreground: [leader],
      flags: { lineMode: true, echo: true, signals: true },
    }
  },
  signal: async () => true,
  surroundings: async () => ({ workingDirectory: '/usr', environment: { A: '1' } }),
  settled: () => {},
  end: async () => ({ ended: [], letBe: [] }),
})

const seenOf = async (shows: Process['shows']) => {
  const process = asDeclared(open(shows))
  return {
    fact: await process.look(true),
    ...(await process.surroundings()),
    identity: process.identity,
    end: await process.end(),
  }
}

const without = (...left: readonly HostShowable[]) =>
  new Set(hostShowables.filter((each) => !left.includes(each)))

describe('a process', () => {
  test('of a host that declares everything is the same', () => {
    const whole = open(everythingShown)
    expect(asDeclared(whole)).toBe(whole)
  })

  test('of a host that declares nothing shows that it lives', async () => {
    asked.length = 0
    expect(await seenOf(nothingShown)).toEqual({
      fact: { alive: true, terminal: '/dev/pts/1', foreground: [] },
      identity: { pid: 7 },
      end: { ended: [], letBe: [], unseen: true },
    })
    // What does not count is not asked for: it costs a fork.
    expect(asked).toEqual([false])
  })

  test.each<[HostShowable, (seen: Awaited<ReturnType<typeof seenOf>>) => unknown]>([
    ['directory', ({ workingDirectory }) => workingDirectory],
    ['environment', ({ environment }) => environment],
    ['identity', ({ identity }) => identity.startTicks],
    ['foreground', ({ fact }) => fact.leader ?? fact.foreground[0]],
    ['waiting', ({ fact }) => fact.leader?.waiting ?? fact.foreground[0]?.waiting],
    ['terminalFlags', ({ fact }) => fact.flags],
    ['leftover', ({ end }) => (end.unseen === true ? undefined : end)],
  ])('is seen without %s where that is not declared', async (each, part) => {
    expect(part(await seenOf(everythingShown))).toBeDefined()
    expect(part(await seenOf(without(each)))).toBeUndefined()
  })
})

test('a mark counts for more than the kernel, and what neither shows nobody does', () => {
  expect(shownBy(true, everythingShown)).toMatchObject({ directory: 'mark', waiting: 'kernel' })
  expect(shownBy(false, everythingShown)).toMatchObject({ directory: 'kernel', prompt: 'nobody' })
  expect(unshown(shownBy(true, nothingShown))).toEqual([
    'identity',
    'foreground',
    'waiting',
    'terminalFlags',
    'leftover',
  ])
  expect(unshown(shownBy(false, nothingShown))).toEqual(showables)
})
