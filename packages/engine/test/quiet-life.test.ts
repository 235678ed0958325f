/** A life in which nothing fails: nothing is logged, nothing stays behind, and what was kept is shown. */
import { expect, test } from 'vitest'
import { answered, diskFull, factsIn, failed, started, world } from './scripted-world.js'

test('nothing is logged of a life in which nothing fails, nor of the next one', async () => {
  const made = await started(
    { policy: { recoveryDelay: 0, snapshotInterval: 1_000 } },
    { sessionOptions: { cwd: '/srv', env: { API_TOKEN: 'secret-4711' } } },
  )
  const { engine } = made
  await made.time.advance(3_000)
  expect(await answered(made, engine.recover('s'))).toMatchObject({ _tag: 'recovered' })
  expect(await answered(made, engine.update('s', { workingDirectory: '/tmp' }))).toMatchObject({
    _tag: 'updated',
  })
  await answered(made, engine.register('t'))
  expect(await answered(made, engine.unregister('t'))).toEqual({ _tag: 'unregistered' })
  expect(await answered(made, engine.unregister('t'))).toEqual({ _tag: 'not-registered' })
  expect(await answered(made, engine.stop())).toEqual({ _tag: 'stopped', unfinished: 0 })
  expect(made.logged).toEqual([])
  expect(made.pending()).toBe(0)

  const next = world({ after: made })
  expect(await answered(next, next.engine.start())).toMatchObject({ _tag: 'started' })
  expect(next.engine.sessions().map(({ sessionId }) => sessionId)).toEqual(['s'])
  expect(made.medium.sessions.has('t')).toBe(false)
  await answered(next, next.engine.stop())
  expect(next.logged).toEqual([])
})

test('what is kept of each session is shown, and is the caller’s own', async () => {
  const made = await started({}, { sessionOptions: { cwd: '/srv' } })
  const { engine } = made
  await answered(made, engine.register('t', { sessionOptions: { cwd: '/tmp' } }))
  const shown = await engine.snapshots()
  expect(Object.keys(shown).sort()).toEqual(['s', 't'])
  expect(shown.s).toMatchObject({ sessionId: 's', workingDirectory: '/srv' })
  expect(shown.s).toEqual(await engine.snapshot('s'))
  Object.assign(shown.s ?? {}, { workingDirectory: 'changed' })
  expect(await engine.snapshot('s')).toMatchObject({ workingDirectory: '/srv' })
})

test('an exhausted session says where it was archived, or says nothing of it', async () => {
  const policy = { maxRecoveryAttempts: 1, recoveryDelay: 0 }
  const script = { run: () => failed() }
  const kept = await started({ policy, script })
  await answered(kept, kept.engine.recover('s'))
  const archived = await kept.engine.reportFailure('s')
  expect(archived).toStrictEqual({ _tag: 'exhausted', archive: expect.any(String) })
  const lost = await started({ policy, script })
  lost.control.refuse = (operation) => (operation === 'archive' ? diskFull : undefined)
  const end = await answered(lost, lost.engine.recover('s'))
  expect(end._tag).toBe('exhausted')
  expect(Object.hasOwn(end, 'archive')).toBe(false)
  expect(await lost.engine.reportFailure('s')).toStrictEqual({ _tag: 'exhausted' })
})

test('what was seen of a death is the evidence of the failure it is', async () => {
  const made = await started({ policy: { snapshotInterval: 0 } })
  made.observe({ _tag: 'exited', sessionId: 's', exit: { signal: 'SIGKILL' } })
  await made.time.advance(0)
  const [opened] = factsIn(made.entries(), 'incident-opened')
  expect(opened?.failure.evidence).toMatchObject([
    { source: 'exit', grade: 'observed', trusted: true, detail: 'signal SIGKILL' },
  ])
})
