/**
 * Sealed stores: nothing of a snapshot in clear, nothing that was changed or moved is read, and no key
 * that is missing or new costs anything.
 */
import { randomBytes } from 'node:crypto'
import type { Json } from '@session-recovery/core'
import { type MemoryDisk, memoryDisk } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { type FileStoreOptions, fileStore } from '../src/index.js'
import { lineOf, readLine } from '../src/line.js'
import { type SealPlace, sealerOf } from '../src/seal.js'
import { archiveOf, commitOf, done, everything, refused, snapshotOf } from './sample.js'

const directory = '/store'
const keys = { k1: randomBytes(32), k2: randomBytes(32) }
const first = { current: 'k1', keys: { k1: keys.k1 } }
const second = { current: 'k2', keys }
const onlySecond = { current: 'k2', keys: { k2: keys.k2 } }
type Sealing = FileStoreOptions['sealing']

const storeOn = (disk: MemoryDisk, sealing?: Sealing) =>
  fileStore({ directory, ...(sealing === undefined ? {} : { sealing }) }, disk)

const opened = async (disk: MemoryDisk, sealing?: Sealing) => {
  const store = storeOn(disk, sealing)
  const loaded = await done(store.open)
  return { store, loaded }
}

/** Sessions a and b with a snapshot each, and an archive of a. */
const filled = async (sealing?: Sealing) => {
  const disk = memoryDisk()
  const { store } = await opened(disk, sealing)
  for (const id of ['a', 'b']) {
    await done(store.commit(commitOf(id, 1)))
    await done(store.saveSnapshot(snapshotOf(id, 1)))
  }
  const archive = await done(store.archive(archiveOf('a', 'token')))
  await store.close()
  return { disk, archive }
}

const whole = (disk: MemoryDisk): string =>
  [...disk.files()].map(([path, bytes]) => `${path}\n${bytes.toString()}`).join('\n')

const logOf = (disk: MemoryDisk): readonly [string, Buffer] => {
  const [found] = [...disk.files()].filter(([path]) => path.startsWith('/store/log/'))
  if (found === undefined) throw new Error('no log')
  return found
}

const expectAll = async (disk: MemoryDisk, archive: string, sealing?: Sealing) => {
  const { store, loaded } = await opened(disk, sealing)
  expect(loaded.quarantined).toEqual([])
  for (const id of ['a', 'b']) expect(await done(store.readSnapshot(id))).toEqual(snapshotOf(id, 1))
  expect(await done(store.readArchive(archive))).toEqual(archiveOf('a', 'token'))
  return store
}

test('what a snapshot holds stands in no file, and is read back', async () => {
  const clear = await filled()
  expect(whole(clear.disk)).toContain('some output')
  const { disk, archive } = await filled(first)
  expect(whole(disk)).not.toContain('some output')
  expect(whole(disk)).not.toContain(Buffer.from('some output').toString('base64').slice(0, -4))
  const store = await expectAll(disk, archive, first)
  await done(store.checkpoint(null, everything))
  await store.close()
  expect(whole(disk)).not.toContain('some output')
  await (await expectAll(disk, archive, first)).close()
})

test('no nonce is used twice', async () => {
  const { disk } = await filled(first)
  const nonces = [...whole(disk).matchAll(/"nonce":"([^"]+)"/g)].map(([, nonce]) => nonce)
  expect(nonces.length).toBe(3)
  expect(new Set(nonces).size).toBe(3)
})

const place: SealPlace = ['snapshot', 'a', 1, 1]
const sealed = (body: Json) => sealerOf(first).seal(JSON.stringify(body), place)

/** Every text that differs from `bytes` in one bit, or each so-many-th of them. */
const flipped = function* (bytes: Buffer, step = 1): Generator<Buffer> {
  for (let bit = 0; bit < bytes.length * 8; bit += step) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    yield changed
  }
}

// Of three lengths: in base64 the end of a text may have bits that stand for nothing.
test.each(['x', 'xy', 'xyz'])('every flipped bit of what is sealed (%s) is rejected', (output) => {
  const sealer = sealerOf(first)
  const text = Buffer.from(JSON.stringify(sealed({ output })))
  expect(E.isRight(sealer.open(JSON.parse(text.toString()), place, 'it'))).toBe(true)
  let rejected = 0
  for (const changed of flipped(text)) {
    let parsed: unknown
    try {
      parsed = JSON.parse(changed.toString())
    } catch {
      rejected += 1
      continue
    }
    const read = sealer.open(parsed, place, 'it')
    expect(E.isLeft(read) && ['SealBroken', 'KeyMissing'].includes(read.left._tag)).toBe(true)
    rejected += 1
  }
  expect(rejected).toBe(text.length * 8)
})

test('what is sealed opens in its place alone', () => {
  const sealer = sealerOf({ current: 'k1', keys: { k1: keys.k1, k3: keys.k1 } })
  const one = sealed({ output: 'x' })
  for (const other of [
    ['snapshot', 'b', 1, 1],
    ['snapshot', 'a', 2, 1],
    ['snapshot', 'a', 1, 2],
    ['snapshot', 'a', 11, 1],
    ['archive', 'a', 1, 1],
    ['snapshot', 'a', 1],
    ['snapshot', 'a', '1', 1],
  ]) {
    expect(sealer.open(one, other, 'it')).toMatchObject({ left: { _tag: 'SealBroken' } })
  }
  // The same key under another id: the id is authenticated, too.
  expect(sealer.open({ ...one, key: 'k3' }, place, 'it')).toMatchObject({
    left: { _tag: 'SealBroken' },
  })
  expect(sealerOf(onlySecond).open(one, place, 'it')).toMatchObject({
    left: { _tag: 'KeyMissing', keyId: 'k1' },
  })
  expect(sealer.open({ ...one, nonce: 5 }, place, 'it')).toMatchObject({
    left: { _tag: 'SealBroken', message: expect.stringContaining('sealed: nonce: expected') },
  })
  const short = Buffer.alloc(15).toString('base64')
  expect(sealer.open({ ...one, text: short }, place, 'it')).toMatchObject({
    left: { _tag: 'SealBroken', message: expect.stringContaining('sealed: text') },
  })
  const nothing = Buffer.alloc(16).toString('base64')
  expect(sealer.open({ ...one, text: nothing }, place, 'it')).toMatchObject({
    left: { _tag: 'SealBroken', message: expect.stringContaining('changed, moved') },
  })
  for (const without of [undefined, { current: 'x', keys: {} }])
    expect(() => sealerOf(without).seal('x', place)).toThrow('nothing is sealed without a key')
  const wrong = sealerOf({ current: 'k1', keys: { k1: keys.k2 } })
  expect(wrong.open(one, place, 'it')).toMatchObject({ left: { _tag: 'SealBroken' } })
})

// No divisor of eight: every place within a byte has its turn. 1 tries every bit.
const step = Number(process.env.BIT_STEP ?? 7)

test('every flipped bit of a sealed archive is a typed error that names the file', async () => {
  const { disk, archive } = await filled(first)
  const path = `${directory}/${archive}`
  const bytes = disk.files().get(path) ?? Buffer.alloc(0)
  const { store } = await opened(disk, first)
  let rejected = 0
  for (const changed of flipped(bytes)) {
    disk.put(path, changed)
    const error = await refused(store.readArchive(archive))
    expect(['StoreUnusable', 'SealBroken', 'KeyMissing']).toContain(error._tag)
    expect(error.message).toContain(archive)
    rejected += 1
  }
  expect(rejected).toBe(bytes.length * 8)
  await store.close()
})

test('nor does a checksum that was made right help whoever changes an archive', async () => {
  const { disk, archive } = await filled(first)
  const path = `${directory}/${archive}`
  const line = readLine(disk.files().get(path) ?? Buffer.alloc(0))
  const payload = E.isRight(line) ? line.right.payload() : line
  const text = Buffer.from(JSON.stringify(E.isRight(payload) ? payload.right : null))
  const { store } = await opened(disk, first)
  let rejected = 0
  for (const changed of flipped(text, step)) {
    let parsed: unknown
    try {
      parsed = JSON.parse(changed.toString())
    } catch {
      continue
    }
    disk.put(path, lineOf('archive', parsed))
    const error = await refused(store.readArchive(archive))
    expect(['StoreUnusable', 'SealBroken', 'KeyMissing']).toContain(error._tag)
    rejected += 1
  }
  expect(rejected).toBeGreaterThan(text.length / step)
  await store.close()
})

/** The log as lines, each with what it says. */
const linesOf = (bytes: Buffer) =>
  bytes
    .toString()
    .split(/(?<=\n)/)
    .map((text) => ({ text, said: JSON.parse(text) as Record<string, unknown> }))

test('a flipped bit of a sealed line in the log is found, and the other session loads', async () => {
  const { disk } = await filled(first)
  const [path, bytes] = logOf(disk)
  const text = linesOf(bytes).find(({ said }) => 'sealed' in said)?.text ?? ''
  const at = bytes.indexOf(text)
  let found = 0
  for (const changed of flipped(Buffer.from(text), step)) {
    const spoilt = disk.copy()
    spoilt.put(
      path,
      Buffer.concat([bytes.subarray(0, at), changed, bytes.subarray(at + text.length)]),
    )
    const { store, loaded } = await opened(spoilt, first)
    const error = await refused(store.readSnapshot('a'))
    expect(['NotFound', 'StoreUnusable']).toContain(error._tag)
    expect(loaded.quarantined.length).toBeGreaterThan(0)
    expect(loaded.quarantined[0]?.source).toContain('log/')
    expect(await done(store.readSnapshot('b'))).toEqual(snapshotOf('b', 1))
    await store.close()
    found += 1
  }
  expect(found).toBe(Math.ceil((text.length * 8) / step))
})

/** The log with the body of `to` replaced by that of `from`, every checksum made right. */
const swapped = (bytes: Buffer, change: (heads: Record<string, unknown>[]) => void): Buffer => {
  const lines = linesOf(bytes).map(({ said }) => said)
  change(lines)
  const written: Buffer[] = []
  for (const said of lines) {
    const [, kind = ''] = Object.keys(said)
    written.push(lineOf(kind, said[kind]))
  }
  lines.forEach((said, i) => {
    const body = written[i + 1]
    const line = body === undefined ? undefined : readLine(body)
    if (!('snapshot' in said) || body === undefined || line === undefined || E.isLeft(line)) return
    const head = said.snapshot as Record<string, unknown>
    const promised = { bytes: body.length, crc: line.right.crc, key: 'k1' }
    written[i] = lineOf('snapshot', { ...head, body: promised })
  })
  return Buffer.concat(written)
}

test.each([
  [
    'the body of another session',
    (lines: Record<string, unknown>[]) => {
      const bodies = lines.filter((said) => 'sealed' in said)
      const [ofA, ofB] = bodies.map(({ sealed: one }) => one)
      if (bodies[0] !== undefined) bodies[0].sealed = ofB
      if (bodies[1] !== undefined) bodies[1].sealed = ofA
    },
    ['a', 'b'],
  ],
  [
    'that of another generation',
    (lines: Record<string, unknown>[]) => {
      const head = lines.find((said) => 'snapshot' in said)?.snapshot as { view: object }
      Object.assign(head.view, { generation: 7 })
    },
    ['a'],
  ],
  [
    'one in clear',
    (lines: Record<string, unknown>[]) => {
      const at = lines.findIndex((said) => 'sealed' in said)
      lines[at] = { crc: '', body: { environment: { LD_PRELOAD: 'x' } } }
    },
    ['a'],
  ],
] as const)('%s in its place is refused and set aside', async (_, change, victims) => {
  const { disk } = await filled(first)
  const [path, bytes] = logOf(disk)
  disk.put(
    path,
    swapped(bytes, () => {}),
  )
  await (await opened(disk, first)).store.close()
  disk.put(path, swapped(bytes, change))
  const { store } = await opened(disk, first)
  for (const id of ['a', 'b']) {
    if (!(victims as readonly string[]).includes(id)) {
      expect(await done(store.readSnapshot(id))).toEqual(snapshotOf(id, 1))
      continue
    }
    expect(await refused(store.readSnapshot(id))).toMatchObject({ _tag: 'SealBroken' })
  }
  const aside = [...disk.files()].filter(([name]) => name.startsWith('/store/quarantine/'))
  expect(aside.length).toBe(victims.length)
  await store.close()
})

test.each([
  ['none', undefined],
  ['another', onlySecond],
])('with the key missing (%s given) nothing opens and nothing changes', async (_, sealing) => {
  const { disk, archive } = await filled(first)
  const before = disk.files()
  expect(await refused(storeOn(disk, sealing).open)).toMatchObject({
    _tag: 'KeyMissing',
    keyId: 'k1',
    message: expect.stringContaining('session a'),
  })
  expect(disk.files()).toEqual(before)
  await (await expectAll(disk, archive, first)).close()
})

test('what was stored in clear is taken over only when that is said, and sealed by a checkpoint', async () => {
  const { disk, archive } = await filled()
  const before = disk.files()
  const error = await refused(storeOn(disk, first).open)
  expect(error).toMatchObject({ _tag: 'SealBroken' })
  expect(error.message).toContain('acceptUnsealed')
  expect(disk.files()).toEqual(before)

  const store = await expectAll(disk, archive, { ...first, acceptUnsealed: true })
  await done(store.checkpoint(null, everything))
  expect(await done(store.readSnapshot('a'))).toEqual(snapshotOf('a', 1))
  await store.close()
  expect(logOf(disk)[1].toString()).not.toContain('some output')
  const { store: sealedStore } = await opened(disk, first)
  expect(await done(sealedStore.readSnapshot('b'))).toEqual(snapshotOf('b', 1))
  expect(await refused(sealedStore.readArchive(archive))).toMatchObject({ _tag: 'SealBroken' })
  await sealedStore.close()
})

test('after a checkpoint under a new key the log needs the former no more', async () => {
  const { disk, archive } = await filled(first)
  const store = await expectAll(disk, archive, second)
  await done(store.saveSnapshot(snapshotOf('b', 2)))
  await done(store.checkpoint(null, everything))
  expect(await done(store.readSnapshot('a'))).toEqual(snapshotOf('a', 1))
  await store.close()
  const { store: later } = await opened(disk, onlySecond)
  expect(await done(later.readSnapshot('a'))).toEqual(snapshotOf('a', 1))
  expect(await done(later.readSnapshot('b'))).toEqual(snapshotOf('b', 2))
  // The archive is of its time, and is not written over for want of the key.
  const kept = disk.files().get(`${directory}/${archive}`)
  expect(await refused(later.readArchive(archive))).toMatchObject({ _tag: 'KeyMissing' })
  expect(await done(later.archive(archiveOf('a', 'token')))).toBe(archive)
  expect(disk.files().get(`${directory}/${archive}`)).toEqual(kept)
  await later.close()
})

test('a key that is said to be lost costs what it sealed, and nothing else', async () => {
  const { disk } = await filled(first)
  const { store, loaded } = await opened(disk, { ...onlySecond, lostKeys: ['k1'] })
  expect(loaded.sessions.length).toBe(2)
  expect(await refused(store.readSnapshot('a'))).toMatchObject({ _tag: 'StoreUnusable' })
  await done(store.saveSnapshot(snapshotOf('a', 2)))
  expect(await done(store.readSnapshot('a'))).toEqual(snapshotOf('a', 2))
  // What cannot be opened is carried over as it is.
  await done(store.checkpoint(null, everything))
  await store.close()
  const { store: found } = await opened(disk, second)
  expect(await done(found.readSnapshot('b'))).toEqual(snapshotOf('b', 1))
  await found.close()
})

test.each([
  [
    { current: 'k1', keys: { k1: new Uint8Array(31) } },
    'sealing.keys.k1: expected 32 bytes, got 31',
  ],
  [{ current: 'k2', keys: first.keys }, 'sealing.current'],
  [{ current: '__proto__', keys: first.keys }, 'sealing.current'],
  [{ current: 'k1', keys: { k1: 'secret-key' } }, 'sealing.keys.k1: expected a Uint8Array'],
  [{ current: 'k1', keys: null }, 'sealing.keys'],
  [{ ...first, lostKeys: ['k1'] }, 'sealing.lostKeys'],
  [{ ...first, lostKeys: 'k9' }, 'sealing.lostKeys'],
  [{ ...first, acceptUnsealed: 1 }, 'sealing.acceptUnsealed'],
  [null, 'sealing'],
  ['k1', 'sealing'],
])('what cannot seal is refused with the field: %j', async (sealing, message) => {
  const disk = memoryDisk()
  const error = await refused(storeOn(disk, sealing as Sealing).open)
  expect(error).toMatchObject({ _tag: 'StoreUnusable' })
  expect(error.message).toContain(message)
  expect(error.message).not.toContain('secret-key')
  expect(disk.files().size).toBe(0)
})
