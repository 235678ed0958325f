/** What the interpreter sees of a session by itself: captures, failures it learns of, and looks after a start. */
import type { Capture, Effect, Failure } from '@session-recovery/core'
import { emptyInteractiveState } from '@session-recovery/core'
import { sampleRecord } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { down, failing, rig, secret } from './interpreter-rig.js'
import { dead, diskFull, never, seen } from './scripted-world.js'

const capturing = sampleRecord('s', 4, 2, 'snapshotting.capturing')
const idle = sampleRecord('s', 4, 2, 'snapshotting.idle')
const capture = { _tag: 'capture', token: 'c' } as const
const due = { type: 'captureDue', atMs: 9_000 }

describe('a capture', () => {
  test('is kept, told and then decided on', async () => {
    const { asked, carryOut, says, told } = rig(capturing)
    says.capture = async () => E.right(seen('at-prompt', { workingDirectory: '/there' }))
    expect(await carryOut(capture)).toEqual([{ type: 'captured', atMs: 9_000, token: 'c' }])
    expect(asked).toMatchObject([
      ['capture', { sessionId: 's', incarnation: 2, token: 'c' }],
      ['keep', { what: [{ workingDirectory: '/there' }] }],
    ])
    expect(Object.keys(asked[0]?.[1] ?? {})).not.toContain('deadlineMs')
    const view = { generation: 5, capturedAtMs: 6 }
    expect(told).toEqual([{ _tag: 'captured', sessionId: 's', view, token: 'c' }])
  })

  test('of a session that is gone says nothing', async () => {
    const { carryOut, says, told } = rig(capturing)
    says.keep = async () => ({ _tag: 'closed' })
    expect([await carryOut(capture), told]).toEqual([[], []])
  })

  test.each(['the driver', 'the store'] as const)(
    'that %s refuses has failed, without secrets',
    async (who) => {
      const { carryOut, says, told } = rig(capturing)
      const message = `it said ${secret}`
      if (who === 'the driver') says.capture = async () => E.left({ message } as never)
      else says.keep = async () => ({ _tag: 'refused', error: { ...diskFull, message } })
      const [event] = await carryOut(capture)
      expect(event).toEqual({
        ...{
          type: 'captureFailed',
          atMs: 9_000,
          token: 'c',
          detail: expect.stringMatching(/^it said /),
        },
      })
      expect(told).toEqual([
        { _tag: 'capture-failed', sessionId: 's', detail: expect.stringMatching(/^it said /) },
      ])
      expect(JSON.stringify([event, told])).not.toContain(secret)
    },
  )

  test('that throws has failed with what it threw', async () => {
    const { carryOut, says } = rig(capturing)
    says.capture = () => Promise.reject(new Error('it broke'))
    expect(await carryOut(capture)).toMatchObject([{ type: 'captureFailed', detail: 'it broke' }])
  })

  test('that shows a stuck dialogue is a failure, unless something was decided meanwhile', async () => {
    const { carryOut, says, world } = rig(capturing)
    const interactive = { ...emptyInteractiveState, isInteractive: true, sessionUnresponsive: true }
    const view = {
      generation: 5,
      capturedAtMs: 6,
      interactive: { ...interactive, timeoutCount: 99 },
    }
    says.keep = async () => ({ _tag: 'kept', view, durable: true })
    const shown = (foreground: Capture['foreground']['kind']) => {
      says.capture = async () => E.right(seen(foreground))
      return carryOut(capture)
    }
    world.view = view
    expect(await shown('waiting-for-line')).toMatchObject([
      { type: 'captured' },
      { type: 'failed', failure: { kind: 'interactive-trigger' }, view },
    ])
    world.record = { ...capturing, rev: 5 }
    expect(await shown('waiting-for-line')).toMatchObject([{ type: 'captured' }, undefined])
  })
})

test('a capture that shows nothing of a dialogue is no failure', async () => {
  const { carryOut, says, broken } = rig(capturing)
  says.capture = async () => E.right(seen('waiting-for-line'))
  expect(await carryOut(capture)).toEqual([{ type: 'captured', atMs: 9_000, token: 'c' }])
  expect(broken).toEqual([])
})

describe('what changed', () => {
  test('is captured soon, where the driver can', async () => {
    const { interpreter, events, turns, world, works } = rig(idle)
    interpreter.captureSoon()
    await turns()
    expect([events, works]).toEqual([[due], ['a capture']])
    world.canCapture = false
    interpreter.captureSoon()
    await turns()
    expect(events).toHaveLength(1)
  })

  test.each(['snapshotting.capturing', 'recovering.attempting'] as const)(
    'while %s is captured once it is over, once',
    async (state) => {
      const busy = sampleRecord('s', 4, 2, state)
      const { interpreter, events, turns, world } = rig(busy)
      for (let times = 0; times < 3; times++) interpreter.captureSoon()
      interpreter.interpret([], busy, true)
      await turns()
      expect(events).toEqual([])
      world.record = idle
      for (let times = 0; times < 3; times++) interpreter.interpret([], idle, true)
      await turns()
      expect(events).toEqual([due])
    },
  )

  test('before a capture began is in it', async () => {
    const { interpreter, events, turns, world, carryOut } = rig(capturing)
    interpreter.captureSoon()
    await carryOut(capture)
    world.record = idle
    interpreter.interpret([], idle, true)
    await turns()
    expect(events).toEqual([])
  })
})

describe('what is overtaken', () => {
  const under = async (record: typeof idle) => {
    const made = rig(capturing)
    made.says.capture = () => never
    made.says.run = () => never
    await made.carryOut(capture)
    await made.carryOut({ _tag: 'run', token: 't', strategy: 'restart', attempt: 1 }, {
      ...capturing,
      control: { ...capturing.control, incident: {} },
    } as never)
    made.interpreter.interpret([], record, true)
    return made.isAborted()
  }

  test('is a capture once the session is elsewhere, and no run', async () => {
    expect(await under({ ...capturing, rev: 5 })).toEqual([false, false])
    expect(await under(idle)).toEqual([true, false])
  })

  test('is a look once anything was decided', async () => {
    const { interpreter, says, events, isAborted, turns, pending } = rig(idle)
    says.verify = () => never
    const looking = interpreter.lookAfterStart()
    await turns()
    interpreter.interpret([], idle, true)
    expect([isAborted(), pending()]).toEqual([[false], 1])
    interpreter.interpret([], { ...idle, rev: 5 }, true)
    await looking
    expect([isAborted(), events, pending()]).toEqual([[true], [], 0])
  })
})

describe('what was retrieved is let go', () => {
  test('once no strategy is at work: a wait may be long', () => {
    const { interpreter, world } = rig(idle)
    const states = [
      ...(['attempting', 'verifying', 'backingOff', 'attempting', 'held'] as const),
    ].map((state) => failing(`recovering.${state}`))
    const times = [...states, idle, sampleRecord('s', 4, 2, 'exhausted')].map((record) => {
      world.record = record
      interpreter.interpret([], record, true)
      return world.letGo
    })
    expect(times).toEqual([0, 0, 1, 1, 2, 3, 4])
  })

  test.each([
    [1, idle],
    [0, failing()],
  ] as const)('%i times where it was read ahead of a failure', async (times, after) => {
    const { interpreter, says, world, turns } = rig(idle)
    says.decide = async () => {
      await turns()
      world.record = after
    }
    await interpreter.fail({} as Failure)
    await turns()
    expect(world.letGo).toBe(times)
  })

  test('where a look is overtaken, be it while it is read', async () => {
    const { interpreter, says, world, turns } = rig(idle)
    says.verify = () => never
    const looked = interpreter.lookAfterStart()
    interpreter.abort()
    await looked
    await turns()
    expect(world.letGo).toBe(2)
  })

  test('where a strategy is called off while it is read', async () => {
    const { interpreter, world, turns, verbs } = rig()
    const run = { _tag: 'run', token: 't', strategy: 'restart', attempt: 1 } as unknown as Effect
    interpreter.interpret([run], failing(), true)
    world.record = idle
    interpreter.abort()
    await turns()
    expect([world.letGo, verbs()]).toEqual([1, []])
  })
})

describe('a look after a start', () => {
  const failed = (detail: string) => [
    {
      ...{ type: 'failed', atMs: 9_000, view: { generation: 0, capturedAtMs: 0 } },
      failure: expect.objectContaining({
        kind: 'host-restarted',
        evidence: [
          { source: 'engine', grade: 'observed', trusted: true, detail, atMs: expect.any(Number) },
        ],
      }),
    },
  ]

  test('at one that lives says nothing', async () => {
    const { interpreter, events, asked, pending, world } = rig(idle)
    await interpreter.lookAfterStart()
    expect([events, pending()]).toEqual([[], 0])
    // There are as many as sessions: what each of them holds stays on the disk.
    expect(world.letGo).toBe(1)
    expect(asked).toMatchObject([['verify', { sessionId: 's', token: 'look:2:4' }]])
    expect(Object.keys(asked[0]?.[1] ?? {})).not.toContain('strategy')
  })

  test('at one that is dead is a failure, with what the driver says', async () => {
    const { interpreter, says, events, pending } = rig(idle)
    says.verify = async () => E.right(dead)
    await interpreter.lookAfterStart()
    expect([events.splice(0), pending()]).toEqual([failed('it is dead'), 0])
    says.verify = async () => down
    await interpreter.lookAfterStart()
    expect(events.splice(0)).toEqual(failed('no route'))
  })

  test('that throws is a failure, and logged', async () => {
    const { interpreter, says, events, logged } = rig(idle)
    says.verify = () => Promise.reject(new Error('it broke'))
    await interpreter.lookAfterStart()
    expect(events).toEqual(failed('it broke'))
    expect(logged).toEqual([['error', 'a look of s threw', expect.any(String)]])
  })

  test.each([
    [{}, 5_000],
    [{ strategyTimeoutMs: 0, recoveryTimeout: 700 }, 700],
  ])('that hangs is one at its deadline: %j', async (policy, afterMs) => {
    const { time, interpreter, says, events, isAborted, turns } = rig(idle, policy)
    says.verify = () => never
    void interpreter.lookAfterStart()
    await turns()
    await time.advance(afterMs - 1)
    expect(events).toEqual([])
    await time.advance(1)
    await turns()
    expect([events, isAborted()]).toEqual([failed('it gave no answer in time'), [true]])
  })
})

describe('a failure that the engine learns of', () => {
  const failure = { kind: 'process-exited' } as unknown as Failure

  test('is decided with what is known of the session, which is read ahead', async () => {
    const { interpreter, events, world, works } = rig(idle)
    world.view = { generation: 3, capturedAtMs: 4 }
    await interpreter.fail(failure)
    expect(events).toEqual([{ type: 'failed', atMs: 9_000, failure, view: world.view }])
    expect(works).toEqual(['reading what was kept'])
  })

  test('is not read ahead for one that may have to wait for others', async () => {
    const traits = { ...idle.control.traits, domains: ['host:h'] }
    const { interpreter, events, works } = rig({ ...idle, control: { ...idle.control, traits } })
    await interpreter.fail(failure)
    expect([events.length, works]).toEqual([1, []])
  })

  test('is worthless where something was decided since it was seen', async () => {
    const { interpreter, events } = rig(idle)
    await interpreter.fail(failure, 4)
    await interpreter.fail(failure, 3)
    expect(events).toMatchObject([{ type: 'failed' }, undefined])
  })

  test('is let be where the engine is to decide nothing', async () => {
    const { interpreter, events, works } = rig(idle, { enabled: false })
    await interpreter.fail(failure)
    expect([events, works]).toEqual([[], []])
  })
})

test('what was given up in one life may be asked for again under the same token', async () => {
  const { interpreter, says, events, turns } = rig(capturing)
  const answers: ((answer: E.Either<never, Capture>) => void)[] = []
  says.capture = () => new Promise((resolve) => answers.push(resolve))
  for (const record of [capturing, idle, capturing])
    interpreter.interpret(record === idle ? [] : [capture as Effect], record, true)
  await turns()
  answers[0]?.(E.right(seen()))
  await turns()
  expect(events).toEqual([])
  answers[1]?.(E.right(seen()))
  await turns()
  expect(events).toMatchObject([{ type: 'captured' }])
})
