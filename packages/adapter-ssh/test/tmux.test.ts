/** What tmux says in its control mode, read to the byte, and what it is told. */
import { anyCharacter, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { tmuxKeys, tmuxReaderOf } from '../src/tmux.js'

// As tmux writes it: what is below a space, and the backslash, as octal digits.
const escaped = (bytes: Uint8Array): Buffer =>
  Buffer.concat(
    [...bytes].map((byte) =>
      byte < 32 || byte === 92
        ? Buffer.from(`\\${byte.toString(8).padStart(3, '0')}`)
        : Buffer.from([byte]),
    ),
  )

const line = (bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from('%output %12 '), escaped(bytes), Buffer.from('\n')])

describe('the output of a program in tmux', () => {
  test('arrives to the byte, whatever it is and however it is cut', () => {
    holds(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
        (chunks, cuts) => {
          const said = Buffer.concat([
            Buffer.from('%begin 1 2 0\n%end 1 2 0\n%session-changed $0 0\n'),
            ...chunks.map(line),
            Buffer.from('%exit\n'),
          ])
          const read = tmuxReaderOf()
          const got: Buffer[] = []
          const tags = new Set<string>()
          for (let at = 0; at < said.length; ) {
            const length = cuts.next().value ?? 1
            for (const token of read(said.subarray(at, at + length))) {
              tags.add(token._tag)
              if (token._tag === 'output') got.push(Buffer.from(token.bytes))
            }
            at += length
          }
          expect(Buffer.concat(got)).toEqual(Buffer.concat(chunks))
          expect(tags.has('joined')).toBe(true)
        },
      ),
    )
  })

  test('cannot be taken for what tmux itself says', () => {
    const tokens = tmuxReaderOf()(line(Buffer.from('x\n%session-changed $0 0\n')))
    expect(tokens.map(({ _tag }) => _tag)).toEqual(['output'])
  })
})

test('what is typed is nothing but digits to tmux', () => {
  holds(
    fc.property(fc.string({ unit: anyCharacter, maxLength: 2_000 }), (text) => {
      const lines = tmuxKeys(text).split('\n')
      expect(lines.pop()).toBe('')
      const bytes = lines.flatMap((command) => {
        expect(command).toMatch(/^send-keys -H( [0-9a-f]{1,2})+$/)
        return command
          .split(' ')
          .slice(2)
          .map((hex) => Number.parseInt(hex, 16))
      })
      expect(Buffer.from(bytes)).toEqual(Buffer.from(text))
    }),
  )
})
