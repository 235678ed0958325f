/** Many updates of one session at once: the latest wins, each is told of what holds its own, few are written. */
import { joinedUpdate, RecoverySnapshot, SnapshotUpdate, withUpdate } from '@session-recovery/core'
import { arbitraryOf, holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { diskFull, started } from './scripted-world.js'

const policy = { snapshotInterval: 0, storeOutput: true }

test('of updates that come together the latest wins, and one snapshot is written', async () => {
  const made = await started({ policy })
  const operations = () => made.control.operations.filter((one) => one === 'saveSnapshot').length
  const before = operations()
  const updates = Array.from({ length: 10 }, (_, i) =>
    made.engine.update('s', {
      workingDirectory: `/${i}`,
      ...(i === 3 ? { outputBuffer: ['3'] } : {}),
    }),
  )
  for (const update of await Promise.all(updates)) {
    expect(update).toEqual({ _tag: 'updated', generation: 2, durable: true })
  }
  expect(operations() - before).toBe(1)
  expect(await made.engine.snapshot('s')).toMatchObject({
    workingDirectory: '/9',
    outputBuffer: ['3'],
  })
})

test('one that comes while another is written is written after it', async () => {
  const made = await started({ policy })
  made.control.holds = (operation) => operation === 'saveSnapshot'
  const first = made.engine.update('s', { workingDirectory: '/first' })
  await made.time.advance(0)
  const later = ['/second', '/third'].map((workingDirectory) =>
    made.engine.update('s', { workingDirectory }),
  )
  made.control.resume()
  expect(await first).toMatchObject({ generation: 2 })
  for (const one of await Promise.all(later)) expect(one).toMatchObject({ generation: 3 })
  expect(await made.engine.snapshot('s')).toMatchObject({ workingDirectory: '/third' })
})

test('what the store refuses is refused to all, and is written when it comes again', async () => {
  const made = await started({ policy: { ...policy, onStoreFailure: 'halt' } })
  made.control.refuse = () => diskFull
  const update = () => made.engine.update('s', { workingDirectory: '/same' })
  for (const one of await Promise.all([update(), update()])) expect(one._tag).toBe('store-failed')
  made.control.refuse = () => undefined
  expect(await update()).toMatchObject({ durable: true })
})

test('what changed back is written, what is said again is not', async () => {
  const made = await started({ policy })
  const said = (workingDirectory: string) => made.engine.update('s', { workingDirectory })
  const generations: unknown[] = []
  for (const directory of ['/a', '/a', '/b', '/a', '/a']) generations.push(await said(directory))
  expect(generations).toMatchObject([2, 2, 3, 4, 4].map((generation) => ({ generation })))
})

test('a secret that was overwritten before it was kept is known all the same', async () => {
  const made = await started({ policy })
  const [spoken, former] = ['only-ever-said-aloud', 'never-kept-password']
  await Promise.all([
    made.engine.update('s', {
      commandHistory: [`export SOME_TOKEN=${spoken}`],
      environment: { DB_PASSWORD: former },
    }),
    made.engine.update('s', {
      commandHistory: ['ls'],
      environment: {},
      outputBuffer: [`${spoken} and ${former} are wrong`],
    }),
  ])
  const stored = JSON.stringify([...made.medium.sessions.values()])
  expect(stored).toContain('are wrong')
  expect(stored).not.toContain(spoken)
  expect(stored).not.toContain(former)
})

test('two updates joined make of a snapshot what they make one after the other', () => {
  const at = new Date(5)
  holds(
    fc.property(
      arbitraryOf(RecoverySnapshot),
      arbitraryOf(SnapshotUpdate),
      arbitraryOf(SnapshotUpdate),
      (snapshot, a, b) => {
        expect(withUpdate(snapshot, joinedUpdate(a, b), at)).toEqual(
          withUpdate(withUpdate(snapshot, a, at), b, at),
        )
      },
    ),
  )
})
