/** Simulations: the same run for the same arguments, every fault by itself, and traces that can be kept. */
import type { Loaded } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import {
  type Alteration,
  type FaultKind,
  faultsOf,
  replayOf,
  type Seen,
  type SimulationOptions,
  shrink,
  simulate,
  storeKinds,
  traceIn,
  traceOf,
} from '../src/index.js'

const anySeed = 1 + Math.trunc(Math.random() * 2 ** 30)

/** A bug: nothing is found in the store. */
const forgetful: Alteration = {
  store: (store) => ({
    ...store,
    open: async () => E.map((loaded: Loaded) => ({ ...loaded, sessions: [] }))(await store.open()),
  }),
}

describe('a simulation', () => {
  test.each(storeKinds)('with %s gives the same run for the same arguments', async (store) => {
    const options: SimulationOptions = { seed: anySeed, store, sessions: 4, events: 60 }
    const first = await simulate(options)
    expect(first.breaches, JSON.stringify(options)).toEqual([])
    const again = await simulate(options)
    expect(again.digest, JSON.stringify(options)).toBe(first.digest)
    expect(again.coverage).toEqual(first.coverage)
    // What happened, given as a list, is the same run, too.
    const played = await simulate({ ...options, events: first.actions })
    expect(played.digest, JSON.stringify(options)).toBe(first.digest)
    expect((await simulate({ ...options, seed: anySeed + 1 })).digest).not.toBe(first.digest)
  })

  test.each(storeKinds)('with %s is the same wherever it is begun', async (store) => {
    for (let seed = anySeed; seed < anySeed + 5; seed++) {
      const options: SimulationOptions = { seed, store, sessions: 2, events: 20 }
      const first = await simulate(options)
      // As a process begins one that is told to by a message.
      const inTick = await new Promise<typeof first>((resolve) =>
        process.nextTick(() => simulate(options).then(resolve)),
      )
      expect(inTick.digest, JSON.stringify(options)).toBe(first.digest)
    }
  })

  test('goes on for as long as it is to', async () => {
    const durationMs = 24 * 3_600_000
    const passed: number[] = []
    const watch = ({ passedMs }: Seen) => void passed.push(passedMs)
    const result = await simulate({ seed: anySeed, store: 'memory', durationMs, watch })
    expect(result.breaches, `seed ${anySeed}`).toEqual([])
    expect(result.passedMs).toBeGreaterThanOrEqual(durationMs)
    expect(passed.length).toBeGreaterThan(4)
    expect(result.actions).toEqual([])
  })

  test('has rolls on its disk from as many sessions on as it is told', async () => {
    const rolls = async (rollFrom: number): Promise<number> => {
      let seen = 0
      const watch = ({ files }: Seen) => {
        seen += [...files().keys()].filter((path) => path.endsWith('.roll')).length
      }
      const options = { seed: anySeed, sessions: 3, faults: [], rollFrom, watch }
      expect((await simulate(options)).breaches, `seed ${anySeed}`).toEqual([])
      return seen
    }
    expect(await rolls(1), `seed ${anySeed}`).toBeGreaterThan(0)
    expect(await rolls(100), `seed ${anySeed}`).toBe(0)
  })

  test('has no fault that is not switched on', async () => {
    for (let seed = anySeed; seed < anySeed + 3; seed++) {
      const { coverage, breaches } = await simulate({ seed, faults: [] })
      expect(coverage.faults, `seed ${seed}`).toEqual({})
      expect(breaches, `seed ${seed}`).toEqual([])
    }
  })

  test.each(faultsOf('disk'))('has the one fault that is switched on: %s', async (kind) => {
    // What a crash leaves undone can only be seen where there are crashes.
    const crash: readonly FaultKind[] =
      kind === 'torn tail' || kind === 'power cut' ? ['engine crash'] : []
    const slow: readonly FaultKind[] = kind === 'torn tail' ? ['slow disk'] : []
    const faults = [kind, ...crash, ...slow]
    let times = 0
    for (let seed = 1; seed <= 60 && times === 0; seed++) {
      const { coverage, breaches } = await simulate({ seed, faults })
      expect(breaches, `seed ${seed}`).toEqual([])
      for (const name of Object.keys(coverage.faults)) expect(faults).toContain(name)
      times = coverage.faults[kind] ?? 0
    }
    expect(times).toBeGreaterThan(0)
  })
})

describe('a trace that breaks a law', () => {
  test('is shrunk to what it takes, kept, read back and played again', async () => {
    let options: SimulationOptions = { seed: 1, alteration: forgetful }
    let failed = await simulate(options)
    for (let seed = 2; failed.breaches.length === 0; seed++) {
      options = { seed, alteration: forgetful }
      failed = await simulate(options)
    }
    const shrunk = await shrink(options, failed)
    expect(shrunk.result.breaches.length).toBeGreaterThan(0)
    expect(shrunk.result.actions.length).toBeLessThan(10)
    const { result } = shrunk
    const kept = JSON.stringify(traceOf(shrunk.options, result.actions, result.breaches))
    const read = traceIn(JSON.parse(kept))
    if (E.isLeft(read)) throw new Error(read.left.message)
    const again = await simulate({ ...replayOf(read.right), alteration: forgetful })
    expect(again.digest).toBe(result.digest)
    // Without the bug nothing is broken.
    expect((await simulate(replayOf(read.right))).breaches).toEqual([])
  })

  test('says all that a run follows from', () => {
    const policy = { recoveryDelay: 7 }
    const options = { seed: 9, sessions: 2, store: 'disk', faults: ['EIO'], rollFrom: 2 } as const
    expect(replayOf(traceOf({ ...options, policy }, [], []))).toEqual({
      ...{ ...options, policy },
      events: [],
    })
  })

  test('that was kept and is not whole is refused, with the field', () => {
    const trace = traceOf({ seed: 1, faults: ['EIO'] }, [], ['law 1'])
    expect(traceIn(trace)).toMatchObject({ _tag: 'Right' })
    expect(traceIn({ ...trace, store: 'tape' })).toMatchObject({ left: { path: 'store' } })
    expect(traceIn({ ...trace, faults: ['gremlins'] })).toMatchObject({
      left: { path: 'faults.0' },
    })
  })
})
