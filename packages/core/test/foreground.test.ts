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

const sightings: readonly (readonly [ForegroundKind, string, ForegroundSighting])[] = [
  ['dead', 'a process that is gone', { alive: false }],
  ['stopped', 'a process stopped by a signal', { alive: true, processState: 'T', mark: 'prompt' }],
  ['stopped', 'a process stopped by a tracer', { alive: true, processState: 't' }],
  ['full-screen', 'vim', { ...reading, alternateScreen: true, lineMode: false, echo: false }],
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

const anySighting: fc.Arbitrary<ForegroundSighting> = fc.record(
  {
    alive: fc.boolean(),
    mark: fc.constantFrom('prompt' as const, 'continuation' as const, 'command' as const),
    processState: fc.constantFrom('R', 'S', 'D', 'T', 't', 'Z'),
    readsTerminal: fc.boolean(),
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
