/**
 * What is decided depends on the events, the policy and `stepVersion` alone: along the same traces this
 * version decides what it decided when the fixture was written. A journal is replayed through the step that
 * wrote it, so whoever changes a decision raises `stepVersion`, and writes the fixture again with
 * `WRITE_DECISIONS=1`.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  defaultPolicy,
  Effect,
  type Policy,
  type PolicyInput,
  SessionRecord,
  stepVersion,
} from '@session-recovery/core'
import { compile, type Step, sessionMachine, stepUnder } from '@session-recovery/engine'
import { expect, test } from 'vitest'
import { policyOf } from './scripted-world.js'
import { wander } from './wander.js'

interface Fixture {
  readonly stepVersion: number
  /** By policy, a mark of all that is decided along each trace. */
  readonly decisions: Readonly<Record<string, readonly string[]>>
}

const fixture = new URL('fixture/decision.json', import.meta.url)
const policies: Readonly<Record<string, PolicyInput>> = {
  'by default': {},
  'in haste': { maxRecoveryAttempts: 5, recoveryDelay: 10, strategyTimeoutMs: 500, jitter: 0 },
  'without bounds': { recoveryTimeout: 0, strategyTimeoutMs: 0, stableAfterMs: 0 },
  'without captures': { snapshotInterval: 0, captureTimeoutMs: 0, strategyTimeoutMs: 0 },
  trusting: { acceptClaims: true, enableSmartRecovery: false, stableAfterMs: 100_000 },
}
const traces = 25
const steps = 80

// A receipt is what the driver saw, passed on: that it tells of more changes no decision.
const decided = (key: string, value: unknown): unknown => (key === 'receipt' ? 'passed on' : value)

const markOf = (step: Step, policy: Policy, seed: number): string => {
  const hash = createHash('sha256')
  for (const { record, event } of wander(policy, seed, steps)) {
    const [next, effects] = step(record, event)
    hash.update(JSON.stringify([SessionRecord.encode(next), effects.map(Effect.encode)], decided))
  }
  return hash.digest('hex').slice(0, 16)
}

const marksOf = (name: string): readonly string[] => {
  const first = 1_000 * Object.keys(policies).indexOf(name)
  const policy = policyOf(policies[name])
  // Of the machine as it is now: what the engine decides by is compiled once, when it is loaded.
  const step = stepUnder(policy, compile(sessionMachine(defaultPolicy)))
  return Array.from({ length: traces }, (_, i) => markOf(step, policy, first + i))
}

const names = Object.keys(policies)
if (process.env.WRITE_DECISIONS === '1') {
  const decisions = Object.fromEntries(names.map((name) => [name, marksOf(name)]))
  writeFileSync(fixture, `${JSON.stringify({ stepVersion, decisions })}\n`)
}
const kept: Fixture = JSON.parse(readFileSync(fixture, 'utf8'))

test.each(names)('under a policy that is "%s" this version decides as it did', (name) => {
  expect(stepVersion).toBe(kept.stepVersion)
  expect(marksOf(name)).toEqual(kept.decisions[name])
})
