/** A receipt leaves no item out. */
import { type ReceiptItemName, receiptItems, receiptOf } from '@session-recovery/core'
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
