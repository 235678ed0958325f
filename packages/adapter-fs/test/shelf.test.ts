/** Lines that wait in bytes are what they were, whoever goes first, and their place is used again. */
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { bytesOf, type LineText, lineText } from '../src/line.js'
import { Shelf, type Shelved } from '../src/shelf.js'

const mebibyte = 1 << 20
const lineOfBytes = (bytes: number, letter = 'x'): LineText => {
  const bare = lineText('body', '""').length
  return lineText('body', `"${letter.repeat(bytes - bare)}"`)
}
const inBytes = (lines: readonly LineText[]): Buffer => Buffer.concat(lines.map(bytesOf))
const moved = (line: Shelved): Buffer => {
  const bytes = Buffer.alloc(line.length + 2, '?')
  expect(line.move(bytes, 1)).toBe(line.length + 1)
  expect([bytes.at(0), bytes.at(-1)]).toEqual([0x3f, 0x3f])
  return bytes.subarray(1, -1)
}

afterEach(() => vi.restoreAllMocks())

test('whatever is held, moved and dropped in whatever order, a line is what it was', () => {
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        held: fc.array(
          fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 90_000 })),
          { minLength: 1, maxLength: 3 },
        ),
      }),
    },
    { weight: 2, arbitrary: fc.record({ moved: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ dropped: fc.nat() }) },
  )
  holds(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const shelf = new Shelf()
      const held: { readonly line: Shelved; readonly text: readonly LineText[] }[] = []
      const gone: Shelved[] = []
      const take = (at: number) => held.splice(at % Math.max(1, held.length), 1)
      for (const [i, step] of steps.entries()) {
        if ('held' in step) {
          const text = step.held.map((times) =>
            lineText('body', JSON.stringify(`é${i} `.repeat(times))),
          )
          held.push({ line: shelf.hold(text), text })
        } else if ('moved' in step) {
          for (const { line, text } of take(step.moved)) {
            expect(moved(line).equals(inBytes(text))).toBe(true)
            gone.push(line)
          }
        } else {
          for (const { line } of take(step.dropped)) {
            line.drop()
            gone.push(line)
          }
        }
        // What is gone already makes no room a second time.
        gone.at(i % Math.max(1, gone.length))?.drop()
      }
      for (const { line, text } of held) expect(moved(line).equals(inBytes(text))).toBe(true)
    }),
  )
})

test('bytes are used again once nothing lies on them, and a few are kept', () => {
  const made = vi.spyOn(Buffer, 'allocUnsafeSlow')
  const shelf = new Shelf()
  const quarter = lineOfBytes(mebibyte / 4)
  for (let i = 0; i < 20; i++)
    shelf.hold([quarter])[i % 2 === 0 ? 'drop' : 'move'](Buffer.alloc(mebibyte), 0)
  expect(made).toHaveBeenCalledTimes(1)
  const more = () => Array.from({ length: 4 * 20 }, () => shelf.hold([quarter]))
  const many = more()
  expect(made).toHaveBeenCalledTimes(20)
  for (const line of many) line.drop()
  // Sixteen are kept beside the one that is in use.
  const again = more()
  expect(made).toHaveBeenCalledTimes(23)
  // One line that stays keeps its place alone.
  for (const line of again.slice(1)) line.drop()
  more()
  expect(made).toHaveBeenCalledTimes(26)
})

test('what is wider than a quarter of a mebibyte has bytes of its own, be it one line or two', () => {
  const made = vi.spyOn(Buffer, 'allocUnsafeSlow')
  const shelf = new Shelf()
  const wide = lineOfBytes(mebibyte / 4 + 1)
  const line = shelf.hold([wide])
  const two = [lineOfBytes(mebibyte / 8, 'é'), lineOfBytes(mebibyte / 8 + 1)]
  const both = shelf.hold(two)
  expect(made).not.toHaveBeenCalled()
  expect(moved(line).equals(bytesOf(wide))).toBe(true)
  expect(moved(both).equals(inBytes(two))).toBe(true)
  shelf.hold([lineOfBytes(mebibyte / 8), lineOfBytes(mebibyte / 8)])
  expect(made).toHaveBeenCalledTimes(1)
})

test('what was moved or dropped cannot be moved: something else may be there', () => {
  const shelf = new Shelf()
  const one = shelf.hold([lineText('body', '1')])
  moved(one)
  expect(() => one.move(Buffer.alloc(100), 0)).toThrow('no longer there')
  const two = shelf.hold([lineText('body', '2')])
  two.drop()
  expect(() => two.move(Buffer.alloc(100), 0)).toThrow('no longer there')
})
