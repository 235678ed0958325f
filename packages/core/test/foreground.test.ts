/** What stands in the foreground is told from facts; where one is missing it is unknown. */
import {
  agrees,
  type ForegroundKind,
  type ForegroundSighting,
  foregroundOf,
} from '@session-recovery/core'
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const reading = { alive: true, mark: 'command', processState: 'S', readsTerminal: true } as const

const key = { ...reading, foregroundIsShell: false, lineMode: false, echo: false } as const
const { foregroundIsShell: _, ...keyUnseen } = key
const silent = { readsTerminal: false } as const

const sightings: readonly (readonly [ForegroundKind, string, ForegroundSighting])[] = [
  ['dead', 'a process that is gone', { alive: false }],
  ['stopped', 'a process stopped by a signal', { alive: true, processState: 'T', mark: 'prompt' }],
  ['stopped', 'a process stopped by a tracer', { alive: true, processState: 't' }],
  ['full-screen', 'vim', { ...key, reader: 'vim', alternateScreen: true }],
  ['full-screen', 'less +F', { ...key, ...silent, reader: 'less', alternateScreen: true }],
  ['full-screen', 'less, mode unseen', { ...reading, reader: 'less', alternateScreen: true }],
  [
    'full-screen',
    'less, asking for a line',
    { ...reading, reader: 'less', alternateScreen: true, lineMode: true, echo: true },
  ],
  ['pager', 'less', { ...key, reader: 'less', alternateScreen: true }],
  ['pager', "git's less, which leaves the screen", { ...key, reader: 'less' }],
  ['pager', "man's pager", { ...key, reader: 'pager' }],
  ['unknown', 'less that echoes', { ...key, reader: 'less', echo: true }],
  ['unknown', 'less, in what may be the shell', { ...keyUnseen, reader: 'less' }],
  ['waiting-for-line', 'bc', { ...key, reader: 'bc' }],
  ['waiting-for-line', 'python', { ...key, reader: 'python3.11' }],
  ['waiting-for-line', 'lua', { ...key, reader: 'lua5.4' }],
  ['unknown', 'what only begins like python', { ...key, reader: 'pythonista' }],
  ['unknown', 'a shell in the shell', { ...key, reader: 'bash', readerControlsJobs: true }],
  [
    'unknown',
    'dash in the shell',
    { ...reading, foregroundIsShell: false, lineMode: true, echo: true, readerControlsJobs: true },
  ],
  [
    'waiting-for-line',
    'a script of dash',
    { ...reading, foregroundIsShell: false, lineMode: true, echo: true, readerControlsJobs: false },
  ],
  [
    'waiting-for-line',
    'the builtin read of a shell with job control',
    { ...reading, foregroundIsShell: true, lineMode: true, echo: true, readerControlsJobs: true },
  ],
  ['unknown', 'the builtin read -e', { ...key, reader: 'bash', foregroundIsShell: true }],
  ['unknown', 'a key, by nobody knows whom', key],
  ['running', 'read -t', { ...reading, readsTerminal: false, readsForAWhile: true }],
  ['at-prompt', 'bash at its prompt', { ...reading, mark: 'prompt', foregroundIsShell: true }],
  ['at-prompt', 'a prompt, foreground unseen', { alive: true, mark: 'prompt' }],
  [
    'waiting-for-line',
    'read -p in a script',
    { ...reading, foregroundIsShell: false, lineMode: true, echo: true },
  ],
  [
    'waiting-for-line',
    'the builtin read',
    { ...reading, foregroundIsShell: true, lineMode: true, echo: true },
  ],
  [
    'waiting-for-line',
    'cat, marks unknown',
    { alive: true, readsTerminal: true, foregroundIsShell: false, lineMode: true, echo: true },
  ],
  [
    'waiting-for-password',
    'sudo',
    { ...reading, foregroundIsShell: false, lineMode: true, echo: false },
  ],
  [
    'waiting-for-line',
    'an unclosed quote',
    { ...reading, mark: 'continuation', foregroundIsShell: true, lineMode: false, echo: false },
  ],
  ['unknown', 'an unclosed quote, foreground unseen', { alive: true, mark: 'continuation' }],
  ['unknown', 'an unclosed quote, reader unseen', { ...reading, mark: 'continuation' }],
  [
    'running',
    'what is started by a prompt that is not drawn yet',
    { ...reading, mark: 'prompt', foregroundIsShell: false, readsTerminal: false },
  ],
  [
    'waiting-for-line',
    'what another program asks while a command goes on',
    { ...reading, mark: 'continuation', foregroundIsShell: false, lineMode: true, echo: true },
  ],
  [
    'unknown',
    'a shell that asks for the rest of a command, and does not read yet',
    { ...reading, mark: 'continuation', foregroundIsShell: true, readsTerminal: false },
  ],
  ['running', 'what does not read, without marks', { alive: true, readsTerminal: false }],
  ['running', 'make', { alive: true, mark: 'command', processState: 'R', readsTerminal: false }],
  ['unknown', 'nothing but life', { alive: true }],
  [
    'unknown',
    'python3, in raw mode',
    { ...reading, foregroundIsShell: false, lineMode: false, echo: false },
  ],
  ['unknown', 'a read, mode unseen', { ...reading, foregroundIsShell: false }],
  ['unknown', 'a read, echo unseen', { ...reading, foregroundIsShell: false, lineMode: true }],
  ['unknown', 'a read, line mode unseen', { ...reading, foregroundIsShell: false, echo: true }],
  [
    'unknown',
    'a shell without marks that may be at its prompt',
    { alive: true, readsTerminal: true, foregroundIsShell: true, lineMode: true, echo: true },
  ],
  [
    'unknown',
    'a read by nobody knows whom, without marks',
    { alive: true, readsTerminal: true, lineMode: true, echo: true },
  ],
]

test.each(sightings)('%s: %s', (kind, _, sighting) => {
  const foreground = foregroundOf(sighting)
  expect(foreground.kind).toBe(kind)
  expect(foreground.reasons.length).toBeGreaterThan(0)
})

test.each<readonly [ForegroundSighting, RegExp]>([
  [{ ...key, reader: 'less' }, /its name, less, is what tells that it is a pager/],
  [{ ...key, reader: 'bc' }, /its name, bc, is what tells that it is an interpreter/],
  [{ ...key, reader: 'game' }, /its name does not tell for what/],
  [{ ...key, readerControlsJobs: true }, /ignores the stop signals, as a shell does/],
  [{ ...reading, readsTerminal: false, readsForAWhile: true }, /for a while only/],
  [{ ...reading, readsTerminal: false }, /does not wait for the terminal/],
  [{ ...reading, mark: 'continuation' }, /prompt for the rest of a command/],
])('%j says why', (sighting, why) => {
  expect(foregroundOf(sighting).reasons.join('; ')).toMatch(why)
})

test('what holds work at its own prompt is named, and never looks stuck', () => {
  const line = { ...reading, foregroundIsShell: false, lineMode: true, echo: true } as const
  for (const [sighting, holdsWork] of [
    [{ ...key, reader: 'python3' }, 'repl'],
    [{ ...line, reader: 'ed' }, 'editor'],
  ] as const) {
    const foreground = foregroundOf(sighting)
    expect(foreground).toMatchObject({ kind: 'waiting-for-line', holdsWork })
    expect(agrees(foreground)).toBe(false)
  }
  // Asking for a line or a password, an interpreter is like any other program.
  expect(foregroundOf({ ...line, reader: 'python3' })).not.toHaveProperty('holdsWork')
  expect(agrees(foregroundOf({ ...line, reader: 'python3', echo: false }))).toBe(true)
})

const anySighting: fc.Arbitrary<ForegroundSighting> = fc.record(
  {
    alive: fc.boolean(),
    mark: fc.constantFrom('prompt' as const, 'continuation' as const, 'command' as const),
    processState: fc.constantFrom('R', 'S', 'D', 'T', 't', 'Z'),
    readsTerminal: fc.boolean(),
    readsForAWhile: fc.boolean(),
    reader: fc.constantFrom('bash', 'cat', 'ed', 'less', 'python3', 'vim'),
    readerControlsJobs: fc.boolean(),
    foregroundIsShell: fc.boolean(),
    lineMode: fc.boolean(),
    echo: fc.boolean(),
    alternateScreen: fc.boolean(),
  },
  { requiredKeys: ['alive'] },
)

test('a fact less never makes a session look stuck that did not look so with it', () => {
  holds(
    fc.property(anySighting, (sighting) => {
      if (agrees(foregroundOf(sighting))) return
      for (const fact of ['readsTerminal', 'lineMode', 'echo'] as const) {
        const { [fact]: _, ...less } = sighting
        expect(agrees(foregroundOf(less))).toBe(false)
      }
    }),
    2_000,
  )
})

test('only a process that was seen to read, or to be stopped, looks stuck', () => {
  holds(
    fc.property(anySighting, (sighting) => {
      if (!agrees(foregroundOf(sighting))) return
      const stopped = sighting.processState?.toUpperCase() === 'T'
      expect(sighting.alive && (stopped || sighting.readsTerminal === true)).toBe(true)
    }),
    2_000,
  )
})

test('a shell at its own prompt never looks stuck', () => {
  holds(
    fc.property(anySighting, (sighting) => {
      const { processState: _, ...running } = sighting
      const atPrompt = { ...running, mark: 'prompt', foregroundIsShell: true } as const
      expect(agrees(foregroundOf(atPrompt))).toBe(false)
    }),
    1_000,
  )
})

test('every fact that was gone by is among the reasons', () => {
  const line = { ...reading, foregroundIsShell: false, lineMode: true, echo: true } as const
  const sleeps = 'the foreground process sleeps in a read of its terminal'
  expect(foregroundOf({ ...line, reader: 'ed' }).reasons).toEqual([
    ...[sleeps, 'line mode with echo on', 'its name, ed, is what tells that it is an editor'],
  ])
  expect(foregroundOf({ ...key, reader: 'game' }).reasons).toEqual([
    ...[sleeps, 'key by key, without echo', 'its name does not tell for what'],
  ])
  const { lineMode: _line, ...unseen } = key
  expect(foregroundOf({ ...unseen, reader: 'bc' }).kind).toBe('unknown')
})
