/**
 * A screen that is shown again is inert: whatever the output held, a terminal that shows it answers
 * nothing, changes no title and sets no mode, and its lines read as before.
 */
import { holdsAsync } from '@session-recovery/testkit'
import headless from '@xterm/headless'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { screenOf, terminalReset } from '../src/screen.js'

const size = { cols: 40, rows: 10 }

interface Shown {
  /** What the terminal sent back, as if it had been typed. */
  readonly answers: string
  readonly titles: readonly string[]
  readonly lines: readonly string[]
  /** How the terminal behaves from now on: keys, mouse, pastes, wrapping. */
  readonly modes: string
}

const shown = async (text: string): Promise<Shown> => {
  const terminal = new headless.Terminal({ ...size, scrollback: 1_000, allowProposedApi: true })
  let answers = ''
  const titles: string[] = []
  terminal.onData((data) => {
    answers += data
  })
  terminal.onBinary((data) => {
    answers += data
  })
  terminal.onTitleChange((title) => titles.push(title))
  // What a terminal with more features would act on.
  const asked: string[] = []
  for (const number of [4, 7, 8, 9, 10, 11, 12, 50, 52, 133, 633, 777, 1337, 6973]) {
    terminal.parser.registerOscHandler(number, (data) => {
      asked.push(`OSC ${number} ${data}`)
      return false
    })
  }
  for (const final of ['q', 'p', 'r', 'x', 't', 'u', '|']) {
    terminal.parser.registerDcsHandler({ final }, (data) => {
      asked.push(`DCS ${final} ${data}`)
      return false
    })
  }
  await new Promise<void>((resolve) => terminal.write(text, resolve))
  const buffer = terminal.buffer.normal
  const lines = Array.from(
    { length: buffer.length },
    (_, i) => buffer.getLine(i)?.translateToString(true) ?? '',
  )
  while (lines.at(-1) === '') lines.pop()
  const modes = JSON.stringify({ ...terminal.modes, screen: terminal.buffer.active.type })
  terminal.dispose()
  return { answers: answers + asked.join(), titles, lines, modes }
}

const queries = [
  '\x1b[c',
  '\x1b[>c',
  '\x1b[=c',
  '\x1b[5n',
  '\x1b[6n',
  '\x1b[?6n',
  '\x1b[?1$p',
  '\x1b[4$p',
  '\x1b[14t',
  '\x1b[18t',
  '\x1b[21t',
  '\x1b[>q',
  '\x1b[?u',
  '\x1bZ',
  '\x05',
  '\x1b]10;?\x07',
  '\x1b]11;?\x1b\\',
  '\x1b]4;1;?\x07',
  '\x1b]52;c;?\x07',
  '\x1bP$qm\x1b\\',
  '\x1bP+q544e\x1b\\',
]
const acts = [
  '\x1b]0;title\x07',
  '\x1b]2;title\x1b\\',
  '\x1b]52;c;cm0gLXJmIC8K\x07',
  '\x1b]8;;http://127.0.0.1/\x07link\x1b]8;;\x07',
  '\x1b]1337;File=:AAAA\x07',
  '\x1b]6973;f00d;K;1;9\x07',
  '\x1b[?1000h',
  '\x1b[?1003h\x1b[?1006h',
  '\x1b[?1004h',
  '\x1b[?2004h',
  '\x1b[?1h\x1b=',
  '\x1b[?1049h',
  '\x1b[?1049l',
  '\x1b[20h',
  '\x1b[?25l',
]
const looks = ['text', ' ', '\r\n', '\t', 'ü', '漢', '\x1b[31m', '\x1b[0m', '\x1b[2J', '\x1b[H']
const output = fc
  .array(fc.constantFrom(...queries, ...acts, ...looks, ...looks), { maxLength: 60 })
  .map((parts) => parts.join(''))

// biome-ignore lint/suspicious/noControlCharactersInRegex: control strings begin with one
const controlString = /\x1b[\]P_^X]|[\x90\x98\x9d-\x9f]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: modes begin with one
const privateMode = /\x1b\[\?[\d;]*[hl]/

describe('a screen shown again', () => {
  it('is answered by a terminal as raw output would be, were it not made inert', async () => {
    for (const query of ['\x1b[c', '\x1b[>c', '\x1b[5n', '\x1b[6n', '\x1b]52;c;?\x07']) {
      expect((await shown(query)).answers).not.toBe('')
    }
  })

  it('sets modes as raw output would, were it not made inert', async () => {
    const untouched = (await shown('')).modes
    for (const act of [
      '\x1b[?1000h',
      '\x1b[?2004h',
      '\x1b[?1h\x1b=',
      '\x1b[?1049h',
      '\x1b[?1004h',
    ]) {
      expect((await shown(act)).modes).not.toBe(untouched)
    }
  })

  it('leaves the modes of a terminal as they were, and holds no control string', async () => {
    const untouched = (await shown('')).modes
    await holdsAsync(
      fc.asyncProperty(output, async (text) => {
        const { inert } = await screenOf(text, size)
        expect((await shown(`${terminalReset}${inert}\r\n`)).modes).toBe(untouched)
        // OSC, DCS, APC, PM, SOS, as two bytes or as one; a private mode that is set or taken back.
        expect(inert).not.toMatch(controlString)
        expect(inert).not.toMatch(privateMode)
      }),
      400,
    )
  })

  it('brings no byte back as input, whatever the output held', async () => {
    await holdsAsync(
      fc.asyncProperty(output, async (text) => {
        const { inert } = await screenOf(text, size)
        const seen = await shown(`${terminalReset}${inert}\r\n`)
        expect(seen.answers).toBe('')
        expect(seen.titles).toEqual([])
      }),
      400,
    )
  })

  it('reads as before', async () => {
    await holdsAsync(
      fc.asyncProperty(output, async (text) => {
        const { inert, lines } = await screenOf(text, size)
        const again = await shown(`${terminalReset}${inert}`)
        expect(again.lines).toEqual(lines)
      }),
      200,
    )
  })
})
