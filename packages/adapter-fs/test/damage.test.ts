/** Torn tails, rot in the middle, and later versions. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fileStore } from '../src/index.js'
import { crcOf, lineOf } from '../src/line.js'
import {
  closing,
  commitOf,
  done,
  entryOf,
  everything,
  freshDirectory,
  recordOf,
  refused,
  snapshotOf,
} from './sample.js'

const segments = (directory: string): readonly string[] =>
  readdirSync(join(directory, 'log'))
    .sort()
    .map((name) => join(directory, 'log', name))

const revsOf = async (directory: string) => {
  const store = closing(fileStore({ directory }))
  const loaded = await done(store.open)
  const revs = Object.fromEntries(
    loaded.sessions.map(({ record }) => [record.control.sessionId, record.rev]),
  )
  return { store, loaded, revs }
}

/** A store with sessions a, b and c at revision 2, with snapshots; returns its only segment. */
const filled = async (directory: string, checkpointed: boolean): Promise<string> => {
  const store = fileStore({ directory })
  await done(store.open)
  for (const id of ['a', 'b', 'c']) {
    for (const rev of [1, 2]) await done(store.commit(commitOf(id, rev)))
    await done(store.saveSnapshot(snapshotOf(id, 1)))
  }
  if (checkpointed) await done(store.checkpoint({ folded: true }, everything))
  await store.close()
  const [segment = ''] = segments(directory)
  // Damage is done at the end of its lines, not behind the blanks that were written ahead.
  const bytes = readFileSync(segment)
  writeFileSync(segment, bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0x20) + 1))
  return segment
}

/** Replaces the one place where `text` stands by as many other bytes. */
const rot = (path: string, text: string, by: string) => {
  const bytes = readFileSync(path)
  const at = bytes.indexOf(text)
  expect(at).toBeGreaterThanOrEqual(0)
  expect(bytes.indexOf(text, at + 1)).toBe(-1)
  bytes.write(by, at)
  writeFileSync(path, bytes)
}

test('a last line that is torn anywhere is ignored without a word', async () => {
  const origin = freshDirectory()
  const segment = await filled(origin, false)
  const whole = readFileSync(segment)
  const lines = whole.toString().split('\n').slice(0, -1)
  const lastStatement = lines.slice(-2).join('\n').length + 1
  const directory = freshDirectory()
  const step = 7
  for (let cut = 1; cut < lastStatement; cut += step) {
    rmSync(directory, { recursive: true })
    cpSync(origin, directory, { recursive: true })
    writeFileSync(segments(directory)[0] ?? '', whole.subarray(0, whole.length - cut))
    const { store, loaded, revs } = await revsOf(directory)
    expect(revs).toEqual({ a: 2, b: 2, c: 2 })
    expect(loaded.quarantined).toEqual([])
    expect(await refused(store.readSnapshot('c'))).toMatchObject({ _tag: 'NotFound' })
    await done(store.commit(commitOf('c', 3)))
    await store.close()
    const again = await revsOf(directory)
    expect([again.revs, again.loaded.quarantined]).toEqual([{ a: 2, b: 2, c: 3 }, []])
    await again.store.close()
  }
})

test('a bad checksum on the last line, or zeros where it should be, are a torn tail', async () => {
  for (const spoil of ['bad', '\0\0\0\0\0\0', '{"crc":"00000000","commit":{}}\n']) {
    const directory = freshDirectory()
    const segment = await filled(directory, false)
    appendFileSync(segment, spoil)
    const { store, loaded, revs } = await revsOf(directory)
    expect([revs, loaded.quarantined]).toEqual([{ a: 2, b: 2, c: 2 }, []])
    await store.close()
  }
})

test('a snapshot that a power cut has torn in the middle of what was not flushed never takes the place of the one before', async () => {
  const directory = freshDirectory()
  await filled(directory, true)
  const writing = fileStore({ directory })
  await done(writing.open)
  await Promise.all([
    done(writing.saveSnapshot(snapshotOf('b', 2))),
    done(writing.commit(commitOf('c', 3))),
  ])
  await writing.close()
  rot(segments(directory).at(-1) ?? '', 'some output – 2', '\0'.repeat(15))
  const found: (readonly [number, unknown])[] = []
  for (let start = 0; start < 3; start++) {
    const { store, loaded, revs } = await revsOf(directory)
    expect(revs).toEqual({ a: 2, b: 2, c: 3 })
    found.push([loaded.quarantined.length, (await done(store.readSnapshot('b'))).body])
    await store.close()
  }
  const { body } = snapshotOf('b', 1)
  // Told once, and then there no more.
  expect(found).toEqual([1, 0, 0].map((times) => [times, body]))
})

test('what alone stands behind a header that has rotted is not taken out with it', async () => {
  const directory = freshDirectory()
  await filled(directory, false)
  const { store } = await revsOf(directory)
  await done(store.commit(commitOf('c', 3)))
  await store.close()
  rot(segments(directory).at(-1) ?? '', '"term":2', '"term":7')
  for (const told of [1, 0]) {
    const { store, loaded, revs } = await revsOf(directory)
    expect([loaded.quarantined.length, revs]).toEqual([told, { a: 2, b: 2, c: 3 }])
    await store.close()
  }
})

for (const checkpointed of [false, true]) {
  const log = checkpointed ? 'a checkpoint' : 'a log'

  test(`damage in the middle of ${log} is set aside with file, line and reason, the rest loads`, async () => {
    const directory = freshDirectory()
    const segment = await filled(directory, checkpointed)
    const lines = readFileSync(segment, 'utf8').split('\n')
    const number = lines.findIndex((line) =>
      checkpointed ? line.includes('"session":{"sessionId":"b"') : line.includes('"sessionId":"b"'),
    )
    const bytes = Buffer.from(lines[number] ?? '')
    const offset = Buffer.byteLength(`${lines.slice(0, number).join('\n')}\n`)
    const whole = readFileSync(segment)
    whole[offset + bytes.length - 5] = 0x58
    writeFileSync(segment, whole)
    const { store, loaded, revs } = await revsOf(directory)
    expect(revs).toMatchObject({ a: 2, c: 2 })
    const [one, ...more] = loaded.quarantined
    expect(more).toEqual([])
    expect(one?.source).toBe(`log/${segment.split('/').at(-1)}: line ${number + 1}`)
    expect(one?.problem).toContain('crc: expected')
    const kept = readFileSync(join(directory, one?.keptAs ?? ''))
    expect(kept.subarray(0, bytes.length + 1)).toEqual(
      whole.subarray(offset, offset + bytes.length + 1),
    )
    for (const id of ['a', 'c'])
      expect(await done(store.readSnapshot(id))).toEqual(snapshotOf(id, 1))
    await done(store.checkpoint('again', everything))
    await store.close()
    const again = await revsOf(directory)
    expect(again.loaded.quarantined).toEqual([])
    expect(existsSync(join(directory, one?.keptAs ?? ''))).toBe(true)
    await again.store.close()
  })

  test(`a body that rotted in ${log} is found when it is read, and hides nothing else`, async () => {
    const directory = freshDirectory()
    const segment = await filled(directory, checkpointed)
    rot(
      segment,
      '"sessionId":"b","generation":1,"output":"some',
      '"sessionId":"b","generation":1,"output":"SOME',
    )
    const { store, revs } = await revsOf(directory)
    expect(revs).toEqual({ a: 2, b: 2, c: 2 })
    for (const id of ['a', 'c'])
      expect(await done(store.readSnapshot(id))).toEqual(snapshotOf(id, 1))
    const error = await refused(store.readSnapshot('b'))
    if (checkpointed) {
      expect(error).toMatchObject({ _tag: 'StoreUnusable' })
      expect(error.message).toMatch(/log\/\d+-\d+\.jsonl: byte \d+: crc: expected/)
      expect(readdirSync(join(directory, 'quarantine')).length).toBe(1)
    } else {
      // Not yet checkpointed, and read at once: set aside on opening.
      expect(error).toMatchObject({ _tag: 'NotFound' })
    }
    await done(store.checkpoint('carries the rest', everything))
    expect(await refused(store.readSnapshot('b'))).toMatchObject({ _tag: 'NotFound' })
    await done(store.saveSnapshot(snapshotOf('b', 2)))
    expect(await done(store.readSnapshot('b'))).toEqual(snapshotOf('b', 2))
    await store.close()
  })

  test(`bytes that were added to or taken from ${log} hide no other session`, async () => {
    const origin = freshDirectory()
    const whole = readFileSync(await filled(origin, checkpointed))
    const body = whole.indexOf('"body":{"sessionId":"b"')
    for (const change of [
      [whole.subarray(0, body + 20), whole.subarray(body + 25)],
      [whole.subarray(0, body + 20), Buffer.from('inserted'), whole.subarray(body + 20)],
      [whole.subarray(0, body + 20), Buffer.from('a\nbc'), whole.subarray(body + 23)],
    ]) {
      const directory = freshDirectory()
      cpSync(origin, directory, { recursive: true })
      writeFileSync(segments(directory)[0] ?? '', Buffer.concat(change))
      const { store, loaded, revs } = await revsOf(directory)
      expect(revs).toEqual({ a: 2, b: 2, c: 2 })
      expect(loaded.quarantined.length).toBe(1)
      expect(loaded.quarantined[0]?.sessionId).toBe('b')
      for (const id of ['a', 'c'])
        expect(await done(store.readSnapshot(id))).toEqual(snapshotOf(id, 1))
      expect(await refused(store.readSnapshot('b'))).toMatchObject({ _tag: 'NotFound' })
      await store.close()
    }
  })
}

test('a checkpoint whose end is lost says so, and keeps what is there', async () => {
  const directory = freshDirectory()
  const segment = await filled(directory, true)
  const whole = readFileSync(segment)
  writeFileSync(segment, whole.subarray(0, whole.indexOf('"body":{"sessionId":"c"') + 10))
  const { store, loaded, revs } = await revsOf(directory)
  expect(revs).toEqual({ a: 2, b: 2, c: 2 })
  expect(loaded.quarantined.map(({ sessionId }) => sessionId)).toEqual(['c'])
  expect((await done(store.readJournal('c'))).map(({ rev }) => rev)).toEqual([1, 2])
  expect(await refused(store.readSnapshot('c'))).toMatchObject({ _tag: 'NotFound' })
  await store.close()
})

test('a body is never taken for that of another session', async () => {
  const directory = freshDirectory()
  const segment = await filled(directory, true)
  const lines = readFileSync(segment, 'latin1').split(/(?<=\n)/)
  const body = (id: string) =>
    lines.findIndex((line) => line.includes(`"body":{"sessionId":"${id}"`))
  lines.splice(body('a'), body('b') - body('a'))
  writeFileSync(segment, lines.join(''), 'latin1')
  const { store, revs } = await revsOf(directory)
  expect(revs).toEqual({ a: 2, c: 2 })
  const error = await refused(store.readSnapshot('a'))
  expect(error).toMatchObject({ _tag: 'StoreUnusable' })
  expect(error.message).toContain('that of another snapshot')
  expect(await done(store.readSnapshot('c'))).toEqual(snapshotOf('c', 1))
  await store.close()
})

test('what was appended after a line that says something impossible still loads', async () => {
  const directory = freshDirectory()
  const segment = await filled(directory, false)
  const { record, entry } = commitOf('d', 1)
  appendFileSync(
    segment,
    Buffer.concat([
      lineOf('commit', { record: { ...record, rev: -1 }, entry }),
      lineOf('gossip', {}),
      lineOf('commit', commitOf('e', 1)),
    ]),
  )
  const { store, loaded, revs } = await revsOf(directory)
  expect(revs).toEqual({ a: 2, b: 2, c: 2, e: 1 })
  expect(loaded.quarantined.length).toBe(1)
  expect(loaded.quarantined[0]).toMatchObject({
    sessionId: 'd',
    problem: 'commit: record.rev: expected whole number of at least 0',
  })
  await store.close()
})

const later = [
  [
    'a segment',
    lineOf('segment', { format: 3, term: 9, sequence: 1, whatever: true }),
    '00000009-00000001.jsonl',
  ],
  [
    'a record',
    lineOf('commit', { record: { ...recordOf('z', 1), v: 2 }, entry: entryOf(recordOf('z', 1)) }),
    undefined,
  ],
  [
    'an entry',
    lineOf('commit', { record: recordOf('z', 1), entry: { ...entryOf(recordOf('z', 1)), v: 7 } }),
    undefined,
  ],
] as const

for (const [what, line, name] of later) {
  test(`${what} of a later version is refused, and everything is left byte for byte`, async () => {
    const directory = freshDirectory()
    const segment = await filled(directory, false)
    if (name === undefined) appendFileSync(segment, line)
    else writeFileSync(join(directory, 'log', name), line)
    writeFileSync(join(directory, 'log', 'stray.jsonl.tmp'), 'half')
    writeFileSync(join(directory, 'x.snapshot.json'), '{}')
    appendFileSync(segment, 'rot\n')
    const state = () =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
        .map((path) => [path, readFileSync(path, 'latin1')])
    const before = state()
    const error = await refused(fileStore({ directory }).open)
    expect(error).toMatchObject({ _tag: 'StoreUnusable' })
    expect(error.message).toMatch(/version [237], this program knows up to [12]/)
    expect(state()).toEqual(before)
  })
}

test('a missing segment is told of, and the others load', async () => {
  const directory = freshDirectory()
  await filled(directory, false)
  const second = await revsOf(directory)
  await done(second.store.commit(commitOf('d', 1)))
  await second.store.close()
  const third = await revsOf(directory)
  await third.store.close()
  rmSync(segments(directory)[0] ?? '')
  const { store, loaded, revs } = await revsOf(directory)
  expect(revs).toEqual({ d: 1 })
  expect(loaded.quarantined[0]?.problem).toMatch(/\d+ bytes are missing/)
  await store.close()
})

test('what is no UTF-8 is refused, though its checksum is right', async () => {
  const directory = freshDirectory()
  const segment = await filled(directory, false)
  const lines = readFileSync(segment, 'latin1').split(/(?<=\n)/)
  const at = lines.findIndex((line) => line.includes('"body":{"sessionId":"c"'))
  const body = Buffer.from(lines[at] ?? '', 'latin1')
  body.writeUInt8(0xc0, body.indexOf('some output'))
  body.write(crcOf(body).toString(16).padStart(8, '0'), '{"crc":"'.length)
  const head = at - 1
  const said = JSON.parse(lines[head] ?? '') as { snapshot: { body: { crc: number } } }
  said.snapshot.body.crc = crcOf(body)
  const spoilt = lines.map((line, i) =>
    i === at ? body : i === head ? lineOf('snapshot', said.snapshot) : Buffer.from(line, 'latin1'),
  )
  writeFileSync(segment, Buffer.concat(spoilt))
  const { store } = await revsOf(directory)
  const error = await refused(store.readSnapshot('c'))
  expect(error).toMatchObject({ _tag: 'StoreUnusable' })
  expect(error.message).toContain('not UTF-8')
  expect(await done(store.readSnapshot('b'))).toEqual(snapshotOf('b', 1))
})
