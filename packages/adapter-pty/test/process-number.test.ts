/** Descendants are looked for among the numbers given since, and none of them is overlooked. */
import { execFileSync, spawn } from 'node:child_process'
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { givenSince, isGivenSince, numberMark, numberState } from '../src/process-number.js'

it('are all that were given since, wherever the numbers began anew', () => {
  const limit = 1_000
  const numbers = fc.record({ from: fc.integer({ min: 1, max: limit - 1 }), count: fc.nat(3_000) })
  holds(
    fc.property(numbers, fc.nat(3_000), ({ from, count }, which) => {
      const number = (nth: number) => ((from - 1 + nth) % (limit - 1)) + 1
      const given = isGivenSince({ from, last: number(count), started: count, limit })
      if (which >= 1 && which <= count) expect(given(number(which))).toBe(true)
      // Those before it are left out, while that is known.
      const before = number(count + 1 + (which % (limit / 2 - 2)))
      if (count < limit / 2 && count > 0) expect(given(before)).toBe(false)
    }),
    2_000,
  )
})

it('hold real children of a process', () => {
  const first = spawn('sleep', ['60'], { stdio: 'ignore' })
  try {
    const mark = numberMark(first.pid ?? 0)
    const later = execFileSync('sh', ['-c', 'echo $$; sh -c "echo \\$\\$"'], { encoding: 'utf8' })
    const given = givenSince(mark, numberState())
    for (const pid of later.trim().split('\n').map(Number)) expect(given(pid)).toBe(true)
    expect(givenSince({ pid: first.pid ?? 0 }, numberState())(1)).toBe(true)
  } finally {
    first.kill('SIGKILL')
  }
})
