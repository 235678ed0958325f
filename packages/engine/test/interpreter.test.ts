/** The interpreter by itself: what each effect asks of the world, and the event that each answer returns as. */
import type { Effect, RunOutcome } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { down, failing, incident, rig, secret } from './interpreter-rig.js'
import { alive, diskFull, done, never } from './scripted-world.js'

const run = (strategy: string, more: object = {}) => ({
  ...{ _tag: 'run', token: 't', strategy, incident: 1, attempt: 2, generation: 3, repeated: false },
  ...more,
})
const verify = (strategy: string, more: object = {}) => ({
  ...{ _tag: 'verify', token: 'v', strategy, runToken: 't', ...more },
})
const acted = (outcome: object) => [{ type: 'acted', atMs: 9_000, token: 't', outcome }]
const verified = (verdict: object) => [{ type: 'verified', atMs: 9_000, token: 'v', verdict }]
const unproved = (detail: string) => ({ _tag: 'unproved', detail, evidence: [] })

describe('a run', () => {
  test('is told all that is known, and its outcome returns under its token', async () => {
    const { asked, carryOut, world } = rig()
    expect(await carryOut(run('restart'))).toEqual(acted(done))
    const { incarnation, traits } = failing().control
    const request = {
      sessionId: 's',
      incarnation,
      traits,
      token: 't',
      signal: expect.any(AbortSignal),
    }
    const rest = {
      strategy: 'restart',
      attempt: 2,
      ...incident,
      repeated: false,
      policy: expect.anything(),
    }
    expect(asked).toEqual([['run', { ...request, ...rest, lostSecrets: [] }]])
    world.kept = { snapshot: { sessionId: 's' }, lostSecrets: ['secret:9'] } as never
    await carryOut(run('replicate', { deadlineMs: 500, repeated: true }))
    expect(asked[1]?.[1]).toEqual({
      ...{ ...request, ...rest, strategy: 'replicate', repeated: true, deadlineMs: 500 },
      ...{
        lostSecrets: ['secret:9'],
        snapshot: { sessionId: 's' },
        replicaId: expect.stringMatching(/./),
      },
    })
  })

  test('of what the driver does not have is not asked for', async () => {
    const { carryOut, verbs } = rig()
    expect(await carryOut(run('reconnect'))).toEqual(
      acted({ _tag: 'unsupported', detail: 'scripted has no reconnect' }),
    )
    expect(verbs()).toEqual([])
  })

  test('that is not safe to repeat is made only once its decision is durable', async () => {
    const { carryOut, verbs } = rig()
    const detail = 'the store refused the decision, and this is not safe to do twice'
    expect(await carryOut(run('replicate'), failing(), false)).toEqual(
      acted({ _tag: 'failed', detail }),
    )
    expect(verbs()).toEqual([])
    expect(await carryOut(run('restart'), failing(), false)).toEqual(acted(done))
    expect(await carryOut(run('replicate'))).toEqual(acted(done))
  })

  test('that the driver cannot make, or that throws, has failed; what it threw is logged without secrets', async () => {
    const { carryOut, says, logged } = rig()
    says.run = async () => down
    expect(await carryOut(run('restart'))).toEqual(acted({ _tag: 'failed', detail: 'no route' }))
    expect(logged).toEqual([])
    says.run = async () => {
      throw new Error(`it said ${secret}`)
    }
    expect(await carryOut(run('restart'))).toEqual(
      acted({ _tag: 'failed', detail: `it said ${secret}` }),
    )
    expect(logged).toEqual([
      ['error', 'run of s threw', expect.stringContaining('interpreter.test')],
    ])
    expect(JSON.stringify(logged)).not.toContain(secret)
    says.run = () => Promise.reject('a word')
    expect(await carryOut(run('restart'))).toEqual(acted({ _tag: 'failed', detail: 'a word' }))
  })

  test('that is given up says nothing any more, and one that was before it began is not made', async () => {
    const { carryOut, says, isAborted, events, interpreter, turns, verbs } = rig()
    let answer = (_: E.Either<never, RunOutcome>) => {}
    says.run = () => new Promise((resolve) => (answer = resolve))
    expect(await carryOut(run('restart'))).toEqual([])
    await carryOut({ _tag: 'abort', token: 'other' })
    expect(isAborted()[0]).toBe(false)
    await carryOut({ _tag: 'abort', token: 't' })
    expect(isAborted()[0]).toBe(true)
    answer(E.right(done))
    await turns()
    expect(events).toEqual([])
    interpreter.interpret([run('restart') as Effect], failing(), true)
    interpreter.abort()
    await turns()
    expect([verbs(), events]).toEqual([['run'], []])
  })
})

describe('of several under way', () => {
  const hanging = () => {
    const made = rig()
    const answers: (() => void)[] = []
    made.says.run = () => new Promise((resolve) => answers.push(() => resolve(E.right(done))))
    const answer = async (which: number) => {
      answers[which]?.()
      await made.turns()
    }
    return { ...made, answer }
  }

  test('what is answered is over, and the others are still given up', async () => {
    const { carryOut, answer, interpreter, isAborted, broken } = hanging()
    for (const token of ['t', 'u', 'v']) await carryOut(run('restart', { token }))
    await answer(1)
    await carryOut({ _tag: 'abort', token: 't' })
    expect(isAborted()).toEqual([true, false, false])
    await answer(0)
    interpreter.abort()
    expect(isAborted()).toEqual([true, false, true])
    expect(broken).toEqual([])
  })

  test('one that was given up and comes back late takes none of its name with it', async () => {
    const { carryOut, answer, isAborted, events } = hanging()
    await carryOut(run('restart'))
    await carryOut({ _tag: 'abort', token: 't' })
    await carryOut(run('restart'))
    await answer(0)
    await carryOut({ _tag: 'abort', token: 't' })
    expect([isAborted(), events]).toEqual([[true, true], []])
  })
})

describe('a proof', () => {
  test('is asked for under its own token, and returns as it is', async () => {
    const { asked, carryOut, world, says } = rig()
    expect(await carryOut(verify('restart'))).toEqual(verified(alive))
    expect(asked[0]?.[1]).toMatchObject({ token: 'v', strategy: 'restart' })
    expect(Object.keys(asked[0]?.[1] ?? {})).not.toContain('snapshot')
    world.kept = { snapshot: { sessionId: 's' }, lostSecrets: [] } as never
    await carryOut(verify('restart', { deadlineMs: 500 }))
    expect(asked[1]?.[1]).toMatchObject({ deadlineMs: 500, snapshot: { sessionId: 's' } })
    says.verify = async () => down
    expect(await carryOut(verify('restart'))).toEqual(verified(unproved('no route')))
    says.verify = () => Promise.reject(new Error('it broke'))
    expect(await carryOut(verify('restart'))).toEqual(verified(unproved('it broke')))
  })

  test('of a replica registers it, and lets the former session go', async () => {
    const { carryOut, world } = rig()
    expect(await carryOut(verify('replicate'))).toHaveLength(1)
    world.replicas = true
    expect(await carryOut(verify('replicate'))).toEqual([
      ...verified(alive),
      { type: 'unregistered', atMs: 9_000 },
    ])
    expect(await carryOut(verify('restart'))).toHaveLength(1)
    world.problem = 'taken'
    expect(await carryOut(verify('replicate'))).toEqual(verified(unproved('taken')))
  })

  test('that is given up before it began is not asked for', async () => {
    const { interpreter, turns, verbs, events } = rig()
    interpreter.interpret([verify('restart') as Effect], failing(), true)
    interpreter.abort()
    await turns()
    expect([verbs(), events]).toEqual([[], []])
  })
})

test('an archive holds the session as it is, and says where it is or why not', async () => {
  const { asked, carryOut, says } = rig()
  const archived = (outcome: object) => [{ type: 'archived', atMs: 9_000, token: 'a', outcome }]
  const effect = { _tag: 'archive', token: 'a', incident: 3, generation: 1 }
  expect(await carryOut(effect)).toEqual(archived({ _tag: 'archived', location: 'here' }))
  const archive = { v: 1, sessionId: 's', incarnation: 2, incident: 3, token: 'a', atMs: 7_000 }
  expect(asked).toEqual([
    ['archive', { what: [{ ...archive, record: failing(), snapshot: { sessionId: 's' } }] }],
  ])
  says.archive = async () => E.left(diskFull)
  const detail = 'the disk is full'
  expect(await carryOut(effect)).toEqual(archived({ _tag: 'not-archived', detail }))
  says.archive = () => Promise.reject(new Error('it broke'))
  expect(await carryOut(effect)).toEqual(archived({ _tag: 'not-archived', detail: 'it broke' }))
})

describe('a session that is let go', () => {
  const gone = failing('unregistered')

  test('is aborted, detached and forgotten, in this order', async () => {
    const { asked, carryOut, says, isAborted, released, verbs, works } = rig()
    says.run = () => never
    await carryOut(run('restart'))
    await carryOut({ _tag: 'release' }, gone)
    expect(isAborted()[0]).toBe(true)
    expect(verbs()).toEqual(['run', 'close', 'detach', 'forget'])
    expect(asked.at(-1)?.[1]).toEqual({ what: ['s', 2] })
    expect([released, works]).toEqual([
      ['begun', 'done'],
      ['run of s', 'release of s'],
    ])
  })

  test('is forgotten although the driver cannot detach it, which is logged', async () => {
    const { carryOut, says, released, logged } = rig()
    says.detach = () => Promise.reject(new Error('busy'))
    await carryOut({ _tag: 'release' }, gone)
    expect(released).toEqual(['begun', 'done'])
    expect(logged).toEqual([['error', 'detach of s threw', expect.any(String)]])
  })

  test('that the store cannot forget is still to be forgotten, as is one of an engine that stopped', async () => {
    const { carryOut, says, released, logged, world, verbs } = rig()
    says.forget = async () => E.left(diskFull)
    await carryOut({ _tag: 'release' }, gone)
    expect([released, logged]).toEqual([['begun'], [['warn', 's is not forgotten', diskFull]]])
    world.isStopped = true
    const before = verbs().filter((verb) => verb === 'forget').length
    await carryOut({ _tag: 'release' }, gone)
    expect(verbs().filter((verb) => verb === 'forget').length).toBe(before)
  })
})
