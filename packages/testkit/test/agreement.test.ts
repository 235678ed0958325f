/** Law 12: one trace, many executions, which agree on state and effects; and a disagreement is seen. */
import { expect, test } from 'vitest'
import { agreement, anyTrace, type Disagreeing } from '../src/index.js'

const anySeed = 1 + Math.trunc(Math.random() * 2 ** 30)
const denseMs = 3_000
const spacedMs = 700_000

test.each([
  ['while things happen at any moment', denseMs],
  ['and a crash changes nothing where every incident has its time', spacedMs],
])('the fold, memory and disk agree, with a crash after each commit, %s', async (_, gapMs) => {
  let executions = 0
  for (let seed = anySeed; seed < anySeed + 8; seed++) {
    const trace = anyTrace(seed, gapMs)
    const agreed = await agreement(trace)
    executions += agreed.executions
    expect(agreed.differences, `seed ${seed}, gap ${gapMs} ms`).toEqual([])
  }
  process.stdout.write(`${executions} executions of 8 traces, seed ${anySeed}\n`)
  expect(executions).toBeGreaterThan(8 * 4)
})

const otherPolicy: NonNullable<Disagreeing['disk']> = (trace) => ({
  ...trace,
  policy: { ...trace.policy, recoveryDelay: trace.policy.recoveryDelay + 1 },
})
const otherWorld: NonNullable<Disagreeing['disk']> = (trace) => ({ ...trace, seed: trace.seed + 1 })
const laterCrash: NonNullable<Disagreeing['disk']> = ({ crashAfterCommit, ...trace }) =>
  crashAfterCommit === undefined ? trace : { ...trace, crashAfterCommit: crashAfterCommit + 1 }

test.each([
  ['another policy on disk', { disk: otherPolicy }],
  ['another policy in memory', { memory: otherPolicy }],
  ['another answer of the world', { disk: otherWorld }],
  ['a crash one commit later', { disk: laterCrash }],
])('with %s they do not', async (_, disagreeing: Disagreeing) => {
  for (let seed = 1; seed <= 40; seed++) {
    const { differences } = await agreement(anyTrace(seed, denseMs), disagreeing)
    if (differences.length > 0) return
  }
  expect.fail('no disagreement was seen')
})
