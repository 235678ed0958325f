/**
 * A store that seals: output and history are stored. One whose key is missing, or that cannot be read now,
 * loses nothing by what is kept meanwhile.
 */
import type { StoreError } from '@session-recovery/core'
import { memoryMedium, memoryStore } from '@session-recovery/engine'
import { expect, test } from 'vitest'
import { answered, started, world } from './scripted-world.js'

const said = { commandHistory: ['ls'], outputBuffer: ['file'] }

const stored = (made: { medium: ReturnType<typeof memoryMedium> }) =>
  made.medium.sessions.get('s')?.snapshot

test.each([
  [undefined, false],
  [false, false],
  [true, true],
])(
  'where the store says that it seals (%s) output and history are stored: %s',
  async (seals, kept) => {
    const medium = memoryMedium()
    const store = { ...memoryStore(medium), ...(seals === undefined ? {} : { seals }) }
    const made = await started({ store })
    await made.engine.update('s', said)
    expect(await made.engine.snapshot('s')).toMatchObject(said)
    const body = medium.sessions.get('s')?.snapshot?.body
    expect(body).toMatchObject(kept ? said : { commandHistory: [], outputBuffer: [] })
  },
)

const refusals: readonly StoreError[] = [
  { _tag: 'KeyMissing', keyId: 'k1', message: 'no key k1' },
  { _tag: 'StoreUnavailable', operation: 'readSnapshot', code: 'EMFILE', message: 'no more files' },
  { _tag: 'StoreUnavailable', operation: 'readSnapshot', message: 'the store is not open' },
]

test.each(refusals)('what cannot be read now ($_tag $code) is not written over', async (error) => {
  const first = await started({}, { sessionOptions: { env: { LANG: 'C' } } })
  first.crash()
  const before = stored(first)
  const made = world({ after: first })
  await answered(made, made.engine.start())
  made.control.refuse = (operation) => (operation === 'readSnapshot' ? error : undefined)
  expect(await made.engine.update('s', { workingDirectory: '/new' })).toEqual({
    _tag: 'store-failed',
    error,
  })
  made.observe({ _tag: 'changed', sessionId: 's' })
  await made.time.advance(60_000)
  expect(made.notices).toContainEqual(
    expect.objectContaining({ _tag: 'capture-failed', detail: error.message }),
  )
  expect(stored(made)).toEqual(before)
  made.control.refuse = () => undefined
  await made.engine.update('s', { workingDirectory: '/new' })
  expect(await made.engine.snapshot('s')).toMatchObject({
    environment: { LANG: 'C' },
    workingDirectory: '/new',
  })
})

test.each([
  { _tag: 'StoreUnusable', message: 'damaged, and set aside' },
  { _tag: 'SealBroken', what: 'snapshot of s', message: 'changed, and set aside' },
  { _tag: 'StoreUnavailable', operation: 'readSnapshot', code: 'EIO', message: 'a bad block' },
] as const)('what nobody will read again ($_tag) is replaced', async (error) => {
  const made = await started({}, { sessionOptions: { env: { LANG: 'C' } } })
  made.control.refuse = (operation) => (operation === 'readSnapshot' ? error : undefined)
  expect(await made.engine.update('s', { workingDirectory: '/new' })).toMatchObject({
    _tag: 'updated',
  })
})
