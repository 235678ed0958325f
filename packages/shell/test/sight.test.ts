/** What a host shows becomes a sighting; what it does not show is left out, and nothing is made up. */
import { foregroundOf } from '@session-recovery/core'
import { describe, expect, it, test } from 'vitest'
import type { ProcessFact, TerminalFact, Waiting } from '../src/host.js'
import { type Shown, sightOf } from '../src/sight.js'

const tty = '/dev/pts/7'
const input: Waiting = { _tag: 'reading', files: [tty], bounded: false }
const forAWhile: Waiting = { ...input, bounded: true }
const reading = (...files: readonly string[]): Waiting => ({ ...input, files })
const others: Waiting = { _tag: 'others' }
const own: Waiting = { _tag: 'elsewhere' }

const fact = (pid: number, waiting?: Waiting, more: Partial<ProcessFact> = {}): ProcessFact => ({
  pid,
  name: `p${pid}`,
  state: 'S',
  group: 20,
  ...(waiting === undefined ? {} : { waiting }),
  ...more,
})
const shell = (waiting?: Waiting, more: Partial<ProcessFact> = {}): ProcessFact =>
  fact(10, waiting, { name: 'bash', group: 10, ignoresStops: true, ...more })

const running = (...foreground: readonly ProcessFact[]): TerminalFact => ({
  alive: true,
  leader: shell(others),
  terminal: tty,
  foregroundGroup: 20,
  foreground,
})
const inShell = (leader: ProcessFact, ...foreground: readonly ProcessFact[]): TerminalFact => ({
  alive: true,
  leader,
  terminal: tty,
  foregroundGroup: 10,
  foreground: [leader, ...foreground],
})
const command: Shown = { mark: 'command', alternateScreen: false }
const seen = (shown: TerminalFact, by: Shown = command) => sightOf(shown, by).seen

test.each<readonly [string, boolean | undefined, readonly ProcessFact[]]>([
  ['one that reads the terminal', true, [fact(20, input)]],
  ['one that reads it by its other name', true, [fact(20, reading('/dev/tty'))]],
  ['one that hears of signals besides', true, [fact(20, reading(tty, 'anon_inode:[signalfd]'))]],
  ['one that waits for another terminal', false, [fact(20, reading('/dev/pts/8'))]],
  ['one that waits for signals alone', false, [fact(20, reading('anon_inode:[signalfd]'))]],
  ['one that waits for nothing it names', false, [fact(20, reading())]],
  ['one that sleeps', false, [fact(20, own)]],
  ['one that waits for a child elsewhere', false, [fact(20, others)]],
  ['a server with a console', undefined, [fact(20, reading(tty, 'socket:[1]'))]],
  ['one that is not shown', undefined, [fact(20)]],
  ['one that is not shown beside one that reads', undefined, [fact(20, input), fact(21)]],
  ['a script that waits for one that reads', true, [fact(20, others), fact(21, input)]],
  ['a pipeline from one that reads', true, [fact(20, input), fact(21, reading('pipe:[3]'))]],
  ['a fifo beside one that reads', undefined, [fact(20, input), fact(21, reading('/tmp/fifo'))]],
  ['a build piped into a pager', undefined, [fact(20, own), fact(21, input)]],
  ['a socket piped into a pager', undefined, [fact(20, reading('socket:[1]')), fact(21, input)]],
  ['a wait for nothing beside one that reads', undefined, [fact(20, input), fact(21, reading())]],
  ['two that read', true, [fact(20, input), fact(21, input)]],
  ['one that reads for a while', false, [fact(20, forAWhile)]],
  ['one that reads, one for a while', undefined, [fact(20, input), fact(21, forAWhile)]],
  ['one that reads, one that computes', false, [fact(20, input), fact(21, own, { state: 'R' })]],
  ['one that reads, one at the disk', false, [fact(20, input), fact(21, own, { state: 'D' })]],
  ['one that computes and is not shown', false, [fact(20, undefined, { state: 'R' })]],
  ['nobody', undefined, []],
])('%s: reads the terminal is %s', (_, reads, foreground) => {
  expect(seen(running(...foreground)).readsTerminal).toBe(reads)
})

it('names who reads, and whether it is a shell with job control', () => {
  const script = running(fact(20, others), fact(21, input, { name: 'less', ignoresStops: false }))
  expect(seen(script)).toEqual({
    alive: true,
    mark: 'command',
    alternateScreen: false,
    foregroundIsShell: false,
    processState: 'S',
    readsTerminal: true,
    reader: 'less',
    readerControlsJobs: false,
  })
  expect(seen(running(fact(20, input, { ignoresStops: true }))).readerControlsJobs).toBe(true)
  expect(seen(running(fact(20, input)))).not.toHaveProperty('readerControlsJobs')
  expect(seen(running(fact(20, own)))).not.toHaveProperty('reader')
})

it('tells a wait that ends by itself', () => {
  expect(seen(running(fact(20, forAWhile))).readsForAWhile).toBe(true)
  expect(seen(running(fact(20, own)))).not.toHaveProperty('readsForAWhile')
  expect(seen(running(fact(20, forAWhile), fact(21, own))).readsForAWhile).toBe(true)
})

describe('the shell itself', () => {
  test.each<readonly [Shown['mark'], Waiting, boolean]>([
    ['prompt', input, true],
    ['prompt', forAWhile, true],
    ['continuation', forAWhile, true],
    [undefined, forAWhile, true],
    ['command', input, true],
    ['command', forAWhile, false],
    ['prompt', own, false],
  ])('after the mark %s', (mark, waiting, reads) => {
    const at = inShell(shell(waiting))
    const by = { alternateScreen: false, mark }
    expect(seen(at, by)).toMatchObject({ foregroundIsShell: true, readsTerminal: reads })
  })

  it('at a prompt is judged alone, in a command with all of its group', () => {
    const at = inShell(shell(reading('pipe:[1]')), fact(11, input, { group: 10, name: 'cat' }))
    expect(seen(at)).toMatchObject({ readsTerminal: true, reader: 'cat' })
    expect(seen(at, { ...command, mark: 'prompt' }).readsTerminal).toBe(false)
    expect(seen(at, { ...command, mark: 'continuation' }).readsTerminal).toBe(false)
    const drawing = inShell(shell(input), fact(11, own, { group: 10, state: 'R' }))
    expect(seen(drawing, { ...command, mark: 'prompt' }).readsTerminal).toBe(true)
    expect(seen(drawing).readsTerminal).toBe(false)
  })

  it('is counted once', () => {
    const at = sightOf(inShell(shell(input)), command)
    expect(at.groupIsShell).toBe(true)
    expect(at.foremost?.pid).toBe(10)
  })
})

describe('who is stopped', () => {
  test.each<readonly [string, TerminalFact]>([
    ['the shell', { ...running(fact(20, own)), leader: shell(others, { state: 'T' }) }],
    ['what it waits for', running(fact(20, own, { state: 'T' }))],
    ['one of its members', running(fact(20, others), fact(21, own, { state: 't' }))],
    ['the first of its members', running(fact(20, own, { state: 'T' }), fact(21, own))],
  ])('%s holds up the whole', (_, at) => {
    expect(foregroundOf(seen(at)).kind).toBe('stopped')
  })

  it('nobody', () => {
    expect(seen(running(fact(20, own), fact(21, own, { state: 'D' }))).processState).toBe('D')
  })
})

it('takes the alternate screen for what it was left by, at the prompts of the shell', () => {
  const on = { alternateScreen: true } as const
  expect(seen(running(fact(20, input)), { ...on, mark: 'command' }).alternateScreen).toBe(true)
  expect(seen(running(fact(20, input)), { ...on, mark: undefined }).alternateScreen).toBe(true)
  for (const mark of ['prompt', 'continuation'] as const) {
    expect(seen(inShell(shell(input)), { ...on, mark })).not.toHaveProperty('alternateScreen')
  }
})

it('tells the group, who leads it, and how the terminal reads', () => {
  const flags = { lineMode: true, echo: false, signals: true }
  const at = sightOf({ ...running(fact(21, input), fact(20, others)), flags }, command)
  expect(at).toMatchObject({
    group: 20,
    groupIsShell: false,
    foremost: { pid: 20 },
    seen: { lineMode: true, echo: false },
  })
  expect(sightOf(running(fact(21, input)), command).foremost?.pid).toBe(21)
  expect(sightOf({ ...running(), foregroundGroup: -1 }, command).group).toBeUndefined()
  expect(sightOf({ ...running(), foregroundGroup: 0 }, command).group).toBeUndefined()
})

describe('where the kernel shows little', () => {
  const nothing: TerminalFact = { alive: true, foreground: [] }
  const kindOf = (shown: TerminalFact, by: Shown) => foregroundOf(seen(shown, by)).kind

  it('the marks alone tell a prompt, and nothing else is known', () => {
    expect(kindOf(nothing, { ...command, mark: 'prompt' })).toBe('at-prompt')
    expect(kindOf(nothing, command)).toBe('unknown')
    expect(kindOf(nothing, { ...command, mark: 'continuation' })).toBe('unknown')
    expect(kindOf(nothing, { ...command, mark: undefined })).toBe('unknown')
    expect(kindOf(nothing, { ...command, alternateScreen: true })).toBe('full-screen')
    expect(kindOf({ alive: false, foreground: [] }, command)).toBe('dead')
    expect(sightOf(nothing, command)).toMatchObject({ group: undefined, groupIsShell: false })
  })

  it('flags without a reader tell nothing', () => {
    const flags = { lineMode: true, echo: false, signals: true }
    expect(kindOf({ ...nothing, flags }, command)).toBe('unknown')
  })

  it("another user's process is unknown, unless it is seen to compute", () => {
    const flags = { lineMode: true, echo: false, signals: true }
    expect(kindOf({ ...running(fact(20)), flags }, command)).toBe('unknown')
    expect(kindOf(running(fact(20, undefined, { state: 'R' })), command)).toBe('running')
  })

  it('a terminal without a name, and a group that is not shown, tell nothing', () => {
    const { terminal: _, ...unnamed } = running(fact(20, input))
    expect(seen(unnamed)).not.toHaveProperty('readsTerminal')
    const { foregroundGroup: __, ...ungrouped } = running(fact(20, input))
    expect(seen(ungrouped)).not.toHaveProperty('foregroundIsShell')
  })
})

it('takes what wakes a shell at its own prompt for no business, of nobody else', () => {
  const isOwnFile = (file: string) => file === 'anon_inode:[eventfd]'
  const woken = reading(tty, 'anon_inode:[eventfd]')
  const attached: Shown = { mark: undefined, alternateScreen: false }
  expect(seen(inShell(shell(woken)), attached).readsTerminal).toBeUndefined()
  expect(seen(inShell(shell(woken)), { ...attached, isOwnFile }).readsTerminal).toBe(true)
  expect(seen(running(fact(20, woken)), { ...command, isOwnFile }).readsTerminal).toBeUndefined()
})
