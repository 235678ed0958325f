/** What is answered, told and logged where a session, an engine or a store goes away in the middle. */
import { memoryMedium, memoryStore } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { answered, diskFull, failed, never, seen, started, world } from './scripted-world.js'

const logged = (made: { readonly logged: unknown[] }) =>
  made.logged.map((line) => (line as readonly unknown[]).slice(0, 2))

describe('an engine that stops', () => {
  test('answers stopped to whoever waits for the end of an incident', async () => {
    const made = await started({ script: { run: () => never } })
    const recovering = made.engine.recover('s', 'gone')
    await made.time.advance(1)
    expect(await answered(made, made.engine.stop(), 60_000)).toMatchObject({ _tag: 'stopped' })
    expect(await answered(made, recovering)).toEqual({ _tag: 'stopped' })
  })

  test('answers not-running to what it was asked for and has not decided', async () => {
    const made = await started()
    made.control.holds = (operation) => operation === 'commit' || operation === 'close'
    const reporting = made.engine.reportFailure('s', 'gone')
    const cancelling = made.engine.cancel('s')
    const registering = made.engine.register('t')
    await made.time.advance(1)
    const stopping = made.engine.stop()
    await made.time.advance(1)
    made.control.resume()
    await answered(made, stopping, 60_000)
    for (const asked of [reporting, cancelling, registering])
      expect(await answered<unknown>(made, asked)).toEqual({ _tag: 'not-running' })
    expect(made.notices.at(-1)).toEqual({ _tag: 'stopped' })
  })

  test('says through the log that its store could not be closed, and is stopped all the same', async () => {
    const store = memoryStore(memoryMedium())
    const broken = { ...store, close: () => Promise.reject(new Error('it is stuck')) }
    const made = await started({ store: broken })
    expect(await answered(made, made.engine.stop(), 1)).toEqual({ _tag: 'stopped', unfinished: 0 })
    expect(logged(made)).toContainEqual(['error', 'the store was not closed'])
  })
})

describe('a session that is to be replaced', () => {
  const replace = { attended: false, whenRegistered: 'replace' } as const

  test('stays where the store refuses to end it', async () => {
    const made = await started({ policy: { onStoreFailure: 'halt' } })
    made.control.refuse = (operation) => (operation === 'commit' ? diskFull : undefined)
    expect(await made.engine.register('s', replace)).toEqual({
      ...{ _tag: 'store-failed', error: diskFull },
    })
    made.control.refuse = () => undefined
    expect(made.engine.status('s')?.record.control.incarnation).toBe(1)
    expect(made.entries().length).toBe(1)
  })

  test('is not replaced by an engine that stops before it has ended, or as soon as it has', async () => {
    const before = await started()
    before.control.holds = (operation) => operation === 'commit' || operation === 'close'
    const replacing = before.engine.register('s', replace)
    await before.time.advance(1)
    const stopping = before.engine.stop()
    before.control.resume()
    await answered(before, stopping, 60_000)
    expect(await answered(before, replacing)).toEqual({ _tag: 'not-running' })
    const after = await started()
    after.engine.subscribe((notice) => {
      const isEnd = notice._tag === 'decided' && notice.entry.event.type === 'unregistered'
      if (isEnd) void after.engine.stop()
    })
    expect(await answered(after, after.engine.register('s', replace), 60_000)).toEqual({
      _tag: 'not-running',
    })
  })
})

test('a failure while another is being seen to is no new one, and of an exhausted session it is said where it is', async () => {
  const made = await started({ script: { run: () => never } })
  const one = await made.engine.reportFailure('s', 'gone')
  expect(one).toEqual({ _tag: 'opened', incident: 1 })
  expect(await made.engine.reportFailure('s', 'gone again')).toEqual({
    ...{ _tag: 'already-recovering', incident: 1 },
  })
  expect(await made.engine.recover('s')).toEqual({ _tag: 'already-recovering', incident: 1 })
  const hopeless = await started({
    policy: { maxRecoveryAttempts: 1 },
    script: { run: () => failed() },
  })
  const ended = await answered(hopeless, hopeless.engine.recover('s', 'gone'), 60_000)
  expect(ended).toMatchObject({ _tag: 'exhausted', archive: expect.any(String) })
  const archive = 'archive' in ended ? ended.archive : ''
  expect(Object.keys(ended)).not.toContain('archiveError')
  expect([made, hopeless].map(({ engine }) => engine.stats().activeRecoveries)).toEqual([1, 0])
  expect(await hopeless.engine.reportFailure('s', 'gone')).toEqual({ _tag: 'exhausted', archive })
  expect(await hopeless.engine.recover('s', 'gone')).toEqual({
    ...{ _tag: 'exhausted', attempts: 0, durable: true, archive },
  })
})

test('a failure of a session that ends at the same time is of none', async () => {
  const made = await started()
  const ending = made.engine.unregister('s')
  const reporting = made.engine.reportFailure('s', 'gone')
  expect(await ending).toEqual({ _tag: 'unregistered' })
  expect(await reporting).toEqual({ _tag: 'not-registered' })
  expect(await made.engine.unregister('s')).toEqual({ _tag: 'not-registered' })
})

describe('an update', () => {
  const stuck = {
    ...{ isInteractive: true, pendingCommands: [], sessionUnresponsive: true, timeoutCount: 99 },
  }
  const captures = async (
    ...updates: readonly Parameters<Awaited<ReturnType<typeof started>>['engine']['update']>[1][]
  ) => {
    const made = await started({ policy: { snapshotInterval: 0 } })
    for (const update of updates) {
      await made.engine.update('s', update)
      await made.time.advance(10)
    }
    return made.said().filter((verb) => verb === 'capture').length
  }

  test('of a dialogue that seems stuck has the session looked at, and no other does', async () => {
    expect(await captures({ interactiveState: stuck })).toBe(1)
    expect(
      await captures({
        interactiveState: { ...stuck, timeoutCount: 0, sessionUnresponsive: false },
      }),
    ).toBe(0)
    expect(await captures({ commandHistory: ['ls'] })).toBe(0)
    expect(await captures({ interactiveState: stuck }, { commandHistory: ['ls'] })).toBe(1)
  })
})

test('a failure that is reported before anything was kept is decided by an empty view', async () => {
  const made = world({ script: { run: () => never } })
  await answered(made, made.engine.start())
  made.control.holds = (operation) => operation === 'saveSnapshot'
  const registering = made.engine.register('t', { attended: false })
  const reporting = made.engine.reportFailure('t', 'gone')
  await made.time.advance(1)
  expect(made.entries().at(-1)?.event).toMatchObject({
    ...{ type: 'failed', view: { generation: 0, capturedAtMs: expect.any(Number) } },
  })
  expect(made.engine.stats().interactive.totalInteractiveSessions).toBe(0)
  expect(made.engine.advice('t').shouldTrigger).toBe(false)
  made.control.resume()
  expect(await answered<unknown>(made, reporting)).toMatchObject({ _tag: 'opened' })
  expect(await answered<unknown>(made, registering)).toMatchObject({ _tag: 'registered' })
})

test('a start that throws can be tried again', async () => {
  const store = memoryStore(memoryMedium())
  let isBroken = true
  const open = async () => {
    if (isBroken) throw new Error('no store')
    return store.open()
  }
  const made = world({ store: { ...store, open } })
  await expect(made.engine.start()).rejects.toThrow('no store')
  isBroken = false
  expect(await answered(made, made.engine.start())).toMatchObject({ _tag: 'started' })
})

test('the journal of a session that the store cannot read is empty', async () => {
  const store = memoryStore(memoryMedium())
  const made = await started({
    store: { ...store, readJournal: () => async () => E.left(diskFull) },
  })
  expect(await made.engine.journal('s')).toEqual([])
})

test('a failure of which nothing was captured before is decided by an empty view', async () => {
  const made = await started({ script: { run: () => failed() } })
  await made.engine.reportFailure('s', 'gone')
  const [, entry] = made.entries()
  expect(entry?.event).toMatchObject({ type: 'failed', view: { generation: 1 } })
})

test('what a store refuses to forget is warned of, and forgotten by the next start', async () => {
  const made = await started()
  made.control.refuse = (operation) => (operation === 'forget' ? diskFull : undefined)
  expect(await made.engine.unregister('s')).toEqual({ _tag: 'unregistered' })
  await made.time.advance(1)
  expect(logged(made)).toContainEqual(['warn', 's is not forgotten'])
  expect(made.medium.sessions.has('s')).toBe(true)
  await answered(made, made.engine.stop())
  const next = world({ after: made })
  await answered(next, next.engine.start())
  expect(made.medium.sessions.has('s')).toBe(false)
})

test('a text where an object belongs is no update, and an update of a state keeps its dates', async () => {
  const { engine } = await started()
  expect(await engine.update('s', 'all of it' as never)).toMatchObject({
    ...{ _tag: 'invalid', error: { subject: 'snapshot update', path: '' } },
  })
  const sessionState = { at: new Date(5), many: [Number.NaN] }
  await engine.update('s', { sessionState, commandHistory: ['ls'] })
  expect(await engine.snapshot('s')).toMatchObject({ sessionState, commandHistory: ['ls'] })
})

describe('the end of a process', () => {
  const declared = { failureExitCodes: [7] }
  test.each([
    [{ exitCode: 7 }, 'exit code 7'],
    [{ signal: 'SIGKILL' }, 'signal SIGKILL'],
    [{ exitCode: 7, signal: 'SIGTERM' }, 'signal SIGTERM'],
  ])('%j is evidence: %s', async (exit, detail) => {
    const made = await started({ script: { run: () => never } }, declared)
    made.observe({ _tag: 'exited', sessionId: 's', exit })
    await made.time.advance(1)
    const evidence = made
      .entries()
      .flatMap(({ event }) => (event.type === 'failed' ? event.failure.evidence : []))
    expect(evidence).toEqual([
      { source: 'exit', grade: 'observed', trusted: true, detail, atMs: expect.any(Number) },
    ])
  })

  test('of which nothing is known ends the session', async () => {
    const made = await started()
    made.observe({ _tag: 'exited', sessionId: 's', exit: {} })
    await made.time.advance(1)
    expect(made.entries().at(-1)?.event).toEqual({ type: 'ended', atMs: expect.any(Number) })
  })
})

test('what fails in the background is logged, and disturbs nothing else', async () => {
  const made = await started({
    script: {
      capture: () => {
        throw new Error('no driver of ours')
      },
    },
  })
  made.observe({ _tag: 'changed', sessionId: 's' })
  await made.time.advance(1)
  expect(await made.engine.update('s', { commandHistory: ['ls'] })).toMatchObject({
    _tag: 'updated',
  })
  expect(seen().foreground.kind).toBe('at-prompt')
})

test('of a session that there is not nothing is shown, nor of one whose snapshot cannot be read', async () => {
  const made = await started()
  expect(made.engine.advice('nobody').shouldTrigger).toBe(false)
  expect(await made.engine.snapshot('nobody')).toBeUndefined()
  expect(Object.keys(await made.engine.snapshots())).toEqual(['s'])
  made.control.refuse = (operation) => (operation === 'readSnapshot' ? diskFull : undefined)
  expect(Object.keys(await made.engine.snapshots())).toEqual([])
})

test('a subscriber that throws is logged as an error', async () => {
  const made = await started()
  made.engine.subscribe(() => {
    throw new Error('not mine')
  })
  await made.engine.update('s', { commandHistory: ['ls'] })
  expect(logged(made)).toContainEqual(['error', 'a subscriber threw'])
})

test('each decision names the one before it, over restarts, too', async () => {
  const first = await started({ script: { run: () => never } })
  await first.engine.reportFailure('s', 'gone')
  await answered(first, first.engine.cancel('s'))
  const entries = [...first.entries()]
  expect(entries[0]).not.toHaveProperty('follows')
  await answered(first, first.engine.stop(), 60_000)
  const second = world({ script: { run: () => never }, after: first })
  await answered(second, second.engine.start())
  await answered(second, second.engine.reportFailure('s', 'gone'))
  const all = (await second.engine.journal('s')).map((entry) => [entry.follows, entry.recordDigest])
  expect(all.length).toBeGreaterThan(entries.length)
  for (const [i, [follows]] of all.entries()) expect(follows).toBe(all[i - 1]?.[1])
})

test('failures are let in as fast as others are over, and however many were reported, each is answered', async () => {
  const made = await started({ policy: { snapshotInterval: 0 }, script: { run: () => never } })
  const ids = Array.from({ length: 40 }, (_, i) => `t${i}`)
  for (const id of ids) await answered(made, made.engine.register(id, { attended: false }))
  const before = made.control.operations.length
  made.control.holds = (operation) => operation === 'commit'
  const reporting = ids.map((id) => made.engine.reportFailure(id, 'gone'))
  await made.time.advance(1)
  const commits = made.control.operations.slice(before).filter((name) => name === 'commit')
  expect([commits.length, made.engine.stats().heldBack]).toEqual([32, 8])
  made.control.resume()
  for (const report of await answered(made, Promise.all(reporting), 1_000))
    expect(report).toEqual({ _tag: 'opened', incident: 1 })
  expect(made.engine.stats().heldBack).toBe(0)
})

test('domains are those of which something is known, as copies; none of an engine that does not run', async () => {
  const domains = ['host:h']
  const made = world({ policy: { snapshotInterval: 0 }, script: { run: () => never } })
  expect(made.engine.domains()).toEqual([])
  expect(made.engine.renew('host:h')).toEqual({ _tag: 'not-running' })
  await answered(made, made.engine.start())
  expect(made.engine.renew('host:h')).toEqual({ _tag: 'unknown' })
  await answered(made, made.engine.register('t', { attended: false, domains }))
  expect(made.engine.domains()).toEqual([])
  await answered(made, made.engine.reportFailure('t', 'gone'))
  await made.time.advance(1)
  const [domain] = made.engine.domains()
  expect(domain).toMatchObject({ control: { domain: 'host:h' } })
  expect(made.engine.domains()).toEqual([domain])
  expect(made.engine.domains()[0]).not.toBe(domain)
  expect(made.engine.renew('host:h')).toEqual({ _tag: 'renewed' })
})
