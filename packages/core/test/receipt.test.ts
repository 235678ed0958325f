/** A receipt leaves no item out, and what was kept before it grew is readable. */
import {
  lost,
  Receipt,
  type ReceiptItemName,
  receiptItems,
  receiptOf,
  restored,
  unknown,
} from '@session-recovery/core'
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'

test('a receipt names every item, unknown unless it is told', () => {
  const names = fc.constantFrom<ReceiptItemName>(...receiptItems)
  holds(
    fc.property(fc.uniqueArray(names), (known) => {
      const item = { status: 'lost', detail: 'gone' } as const
      const told = Object.fromEntries(known.map((name) => [name, item]))
      const { items } = receiptOf('observed', told)
      expect(Object.keys(items).sort()).toEqual([...receiptItems].sort())
      for (const name of receiptItems) {
        expect(items[name].status).toBe(known.includes(name) ? 'lost' : 'unknown')
      }
    }),
  )
})

test('nothing was put back and nothing is borne out unless it is told', () => {
  expect(receiptOf('claimed', {})).toMatchObject({
    grade: 'claimed',
    evidence: [],
    restoredBytes: 0,
    items: { cwd: { status: 'unknown', detail: 'nobody looked' } },
  })
  const [grade, detail] = ['observed', 'it died'] as const
  const evidence = [{ source: 'exit', grade, trusted: true, detail, atMs: 1 }] as const
  expect(receiptOf('observed', {}, evidence, 7)).toMatchObject({ evidence, restoredBytes: 7 })
})

test('an item says what became of it, and why', () => {
  expect(restored('a')).toEqual({ status: 'restored', detail: 'a' })
  expect(lost('b')).toEqual({ status: 'lost', detail: 'b' })
  expect(unknown('c')).toEqual({ status: 'unknown', detail: 'c' })
})

test.each(receiptItems)(
  'a stored receipt without %s is refused, unless it is of a later time',
  (name) => {
    const { [name]: _, ...items } = receiptOf('observed', {}).items
    const read = Receipt.decode({ ...receiptOf('observed', {}), items })
    const later = ['aliases', 'options', 'umask', 'directoryStack', 'traps', 'lastExitCode']
    expect(read._tag).toBe(later.includes(name) ? 'Right' : 'Left')
    if (read._tag === 'Right')
      expect(read.right.items[name]).toEqual({ status: 'unknown', detail: 'nobody looked' })
  },
)
