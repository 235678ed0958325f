/** A property that fails says how to fail again, in one command; the command does. */
import { holds, holdsAsync } from '@session-recovery/testkit'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.unstubAllEnvs()
})

const failing = fc.property(fc.nat(), (n) => {
  expect(n).toBeLessThan(5)
})

const messageOf = (run: () => void): string => {
  try {
    run()
  } catch (error) {
    return String(error)
  }
  return 'it passed'
}

test('a failure names the seed, the counterexample and the file', () => {
  const message = messageOf(() => holds(failing))
  expect(message).toMatch(/Counterexample: \[5\]/)
  expect(message).toMatch(
    /Replay: SEED=\d+ npm test -- packages\/testkit\/test\/property\.test\.ts$/,
  )
})

test('the seed that was printed finds the same counterexample', () => {
  const first = messageOf(() => holds(failing))
  vi.stubEnv('SEED', /SEED=(\d+)/.exec(first)?.[1] ?? '')
  expect(messageOf(() => holds(failing))).toBe(first)
})

test('an asynchronous property names its file, too', async () => {
  const property = fc.asyncProperty(fc.nat(), async (n) => {
    await Promise.resolve()
    expect(n).toBeLessThan(5)
  })
  await expect(holdsAsync(property)).rejects.toThrow(
    /SEED=\d+ npm test -- packages\/testkit\/test\/property\.test\.ts$/,
  )
})

test('a seed that is no number is refused', () => {
  vi.stubEnv('SEED', 'lucky')
  expect(() => holds(failing)).toThrow('SEED must be a whole number, not lucky')
})
