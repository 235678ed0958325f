/** Hundreds of stores of which one file was changed; the torture goes on with as many as it is asked for. */
import { campaign, mutationOrigin, mutationTrial } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const atLeastRuns = Number(process.env.MUTATIONS ?? 500)

test('changed files: no crash, what is refused names its place and field, other sessions load', {
  timeout: 3_600_000,
}, async () => {
  const origin = await mutationOrigin()
  expect(origin.files.length).toBe(4)
  let refusals = 0
  const kinds = new Set<string>()
  const property = fc.asyncProperty(fc.nat({ max: 2 ** 31 - 2 }), async (seed) => {
    const { complaints, refused, kind } = await mutationTrial(origin, seed)
    refusals += refused
    kinds.add(kind)
    expect(complaints).toEqual([])
  })
  const runs = await campaign(
    {
      name: 'changed files',
      file: 'packages/adapter-fs/test/mutation.test.ts',
      atLeastRuns,
      forMs: 4_000,
    },
    property,
  )
  expect(runs).toBeGreaterThanOrEqual(atLeastRuns)
  expect(refusals).toBeGreaterThan(runs / 10)
  expect(kinds.size).toBe(8)
})
