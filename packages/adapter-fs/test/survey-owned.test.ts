/** A store that is looked at while its owner goes on: what it was about to replace is looked at once more. */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, onTestFinished, test } from 'vitest'
import { surveyStore } from '../src/index.js'
import { lineOf } from '../src/line.js'
import { takeOwnership } from '../src/ownership.js'
import { headerLine, segmentName } from '../src/segment.js'
import { commitOf, done, refused } from './sample.js'

const directory = '/store'
const quiet = () => undefined
const path = `${directory}/log/${segmentName(1, 1)}`

const commit = (sessionId: string): Buffer => {
  const { record, entry } = commitOf(sessionId, 1)
  return lineOf('commit', { record, entry })
}
const header = headerLine({ term: 1, sequence: 1, limitBytes: 1_000, whole: false, before: [] })
const sound = Buffer.concat([header, commit('a'), commit('b')])
const torn = Buffer.concat([header, commit('a').subarray(9), commit('b')])

/** A store with this log, that is owned or not. */
const storeWith = async (log: Buffer, isOwned: boolean) => {
  const disk = memoryDisk()
  for (const name of ['log', 'archives', 'quarantine'])
    await disk.makeDirectory(`${directory}/${name}`)
  for (const folder of ['', '/log', '/archives', '/quarantine'])
    await disk.setMode(`${directory}${folder}`, 0o700)
  disk.put(path, log)
  const status = await disk.status(directory)
  if (status === undefined) throw new Error('it was just made')
  const { device, inode } = status
  if (isOwned) {
    const taken = await takeOwnership({ directory, device, inode }, quiet)
    if (E.isLeft(taken)) throw new Error('nobody else has it')
    onTestFinished(() => taken.right.release())
  }
  return disk
}

/** The disk, and how often its log was looked at; before each look `change` is asked. */
const watched = (disk: ReturnType<typeof memoryDisk>, change: (look: number) => void) => {
  let looks = 0
  const seen = probed(disk, ({ name, path: where }) => {
    if (name !== 'open' || where !== path || looks >= 50) return
    looks += 1
    change(looks)
  })
  return { seen, looks: () => looks }
}

const survey = (disk: Parameters<typeof surveyStore>[1]) => surveyStore({ directory }, disk)
const isLinux = process.platform === 'linux'

test('damage that is there once more and then no longer was an owner’s doing', async () => {
  const disk = await storeWith(torn, true)
  // Twice a look: for its header, and for its lines.
  const { seen, looks } = watched(disk, (look) => {
    if (look === 5) disk.put(path, sound)
  })
  const { owner, findings } = await done(survey(seen))
  if (!isLinux) return
  expect([owner, findings, looks()]).toEqual(['owned', [], 6])
})

test('damage that stays is told after five looks, and at once where nobody owns the store', async () => {
  for (const [isOwned, expected] of [
    [true, isLinux ? 10 : 2],
    [false, 2],
  ] as const) {
    const { seen, looks } = watched(await storeWith(torn, isOwned), quiet)
    const { findings } = await done(survey(seen))
    expect(findings.map(({ _tag, where }) => [_tag, where])).toEqual([
      ['damaged-log', `log/${segmentName(1, 1)}: line 2`],
    ])
    expect(looks()).toBe(expected)
  }
})

test('what is no damage of the log is told after one look, also where an owner is at work', async () => {
  const disk = await storeWith(sound, true)
  disk.put(`${directory}/quarantine/notes`, Buffer.from('mine'))
  const { seen, looks } = watched(disk, quiet)
  const { findings } = await done(survey(seen))
  expect(findings.map(({ _tag }) => _tag)).toEqual(['set-aside'])
  expect(looks()).toBe(2)
})

test('where there are no users nothing is open to others', async () => {
  const disk = await storeWith(sound, false)
  await disk.setMode(path, 0o777)
  const { geteuid } = process
  Object.defineProperty(process, 'geteuid', { value: undefined })
  onTestFinished(() => void Object.defineProperty(process, 'geteuid', { value: geteuid }))
  expect((await done(survey(disk))).findings).toEqual([])
})

test('a segment that is gone when it is opened is looked for anew, up to five times', async () => {
  const disk = await storeWith(sound, true)
  const twice = watched(disk, (look) => {
    if (look <= 2) throw systemError('ENOENT')
  })
  expect((await done(survey(twice.seen))).findings).toEqual([])
  expect(twice.looks()).toBe(4)
  const always = watched(disk, () => {
    throw systemError('ENOENT')
  })
  expect(await refused(survey(always.seen))).toMatchObject({ code: 'ENOENT' })
  expect(always.looks()).toBe(5)
  const other = watched(disk, () => {
    throw systemError('EIO')
  })
  expect(await refused(survey(other.seen))).toMatchObject({ code: 'EIO' })
  expect(other.looks()).toBe(1)
})

test('whose the damage is, is told, and that a former start has set it aside', async () => {
  const lacking = lineOf('forget', { sessionId: 'a' })
  const disk = await storeWith(Buffer.concat([header, lacking, commit('b')]), false)
  const where = `log/${segmentName(1, 1)}: line 2`
  const what = 'forget: incarnation: expected whole number of at least 0'
  expect((await done(survey(disk))).findings).toEqual([
    { _tag: 'damaged-log', severity: 'problem', where, what, sessionId: 'a' },
  ])
  const location = `quarantine/${segmentName(1, 1)}.${header.length}`
  disk.put(`${directory}/${location}`, lacking)
  expect((await done(survey(disk))).findings).toEqual([
    {
      ...{ _tag: 'damaged-log', severity: 'note', where, what: `${what}; it was set aside` },
      sessionId: 'a',
    },
    { _tag: 'set-aside', severity: 'note', where: location, what, sessionId: 'a' },
  ])
})

test('bytes that are missing are told by their place', async () => {
  const disk = await storeWith(sound, false)
  const before = [{ name: segmentName(1, 1), bytes: sound.length + 7 }]
  const next = headerLine({ term: 1, sequence: 2, limitBytes: 1_000, whole: false, before })
  disk.put(`${directory}/log/${segmentName(1, 2)}`, Buffer.concat([next, commit('c')]))
  const { findings, segments, sessions } = await done(surveyStore({ directory, scrub: true }, disk))
  expect(sessions).toEqual({ registered: 3 })
  expect(segments.map(({ name }) => name)).toEqual([segmentName(1, 1), segmentName(1, 2)])
  expect(findings).toEqual([
    {
      ...{ _tag: 'damaged-log', severity: 'problem', what: '7 bytes are missing' },
      where: `log/${segmentName(1, 1)}: byte ${sound.length}`,
    },
  ])
})

test('a file in the place of a directory, and what belongs to another user, are told', async () => {
  const disk = await storeWith(sound, false)
  disk.put(`${directory}/imported`, Buffer.from('mine'))
  const foreign = {
    ...probed(disk, quiet),
    status: async (where: string) => {
      const status = await disk.status(where)
      return status === undefined || where !== path ? status : { ...status, userId: 123_456 }
    },
  }
  const { findings } = await done(survey(foreign))
  expect(findings.map(({ _tag, severity, where }) => [_tag, severity, where])).toEqual([
    ['open-to-others', 'problem', `log/${segmentName(1, 1)}`],
    ['foreign-file', 'problem', 'imported'],
  ])
  expect(findings[0]?.what).toContain('it belongs to user 123456, not to')
})

test('of what is neither file nor directory nobody asks who may read it', async () => {
  const disk = await storeWith(sound, false)
  disk.put(`${directory}/quarantine/queue`, Buffer.alloc(0))
  const odd = {
    ...probed(disk, quiet),
    status: async (where: string) => {
      const status = await disk.status(where)
      if (status === undefined || !where.endsWith('/queue')) return status
      return { ...status, kind: 'other' as const, mode: 0o777, userId: 123_456 }
    },
  }
  const { findings } = await done(survey(odd))
  expect(findings.map(({ _tag, where }) => [_tag, where])).toEqual([
    ['set-aside', 'quarantine/queue'],
  ])
})
