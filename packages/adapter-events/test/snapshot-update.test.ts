/** Whatever a host says, it is read or refused; it never throws, and nothing that cannot be kept gets in. */
import { SnapshotUpdate } from '@session-recovery/core'
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { readUpdate } from '../src/snapshot-update.js'

const anything = fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true })
const fields = ['sessionState', 'environment', 'workingDirectory', 'commandHistory', 'outputBuffer']
const strings = fc.array(fc.string())
const likely = fc.record(
  {
    sessionId: fc.constantFrom('a', 'a', 'b'),
    timestamp: anything,
    sessionState: anything,
    environment: fc.oneof(
      { weight: 9, arbitrary: fc.dictionary(fc.string(), fc.string()) },
      anything,
    ),
    workingDirectory: fc.oneof({ weight: 9, arbitrary: fc.string() }, anything),
    commandHistory: fc.oneof({ weight: 9, arbitrary: strings }, anything),
    outputBuffer: fc.oneof({ weight: 9, arbitrary: strings }, anything),
    mood: anything,
  },
  { requiredKeys: [] },
)

test('any input', () => {
  let accepted = 0
  holds(
    fc.property(fc.oneof({ weight: 9, arbitrary: likely }, anything), (input) => {
      const read = readUpdate('a', input)
      if (E.isLeft(read)) {
        expect(read.left._tag).toBe('DecodeError')
        return
      }
      accepted += 1
      const { update, refused } = read.right
      // What was read can be stored, and comes back as it was.
      const stored = JSON.parse(JSON.stringify(SnapshotUpdate.encode(update)))
      expect(SnapshotUpdate.decode(stored)).toEqual(E.right(update))
      const given = Object.entries(input as object).filter(([, value]) => value !== undefined)
      const names = given.map(([name]) => name)
      expect(Object.keys(update).sort()).toEqual(names.filter((one) => fields.includes(one)).sort())
      const strange = names.filter((one) => ![...fields, 'sessionId', 'timestamp'].includes(one))
      expect(refused.map(({ path }) => path).sort()).toEqual(strange.sort())
    }),
    500,
  )
  expect(accepted).toBeGreaterThan(50)
})
