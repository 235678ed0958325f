/** All that can be found in a store, to the letter, and what is no finding. */
import { memoryDisk, probed, systemError } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Disk, surveyStore } from '../src/index.js'
import { lineOf } from '../src/line.js'
import { takeOwnership } from '../src/ownership.js'
import { headerLine, segmentName } from '../src/segment.js'
import { formatVersion } from '../src/statement.js'
import { archiveOf, commitOf, done, recordOf, snapshotOf } from './sample.js'
import {
  bodyLine,
  checkpoint,
  commitLine,
  rotten,
  sessionHead,
  snapshotHead,
} from './segment-sample.js'

const directory = '/store'
const first = segmentName(1, 1)
const headerOf = (sequence: number, more: object = {}) =>
  headerLine({ ...{ term: 1, sequence, limitBytes: 1_000, whole: false, before: [] }, ...more })
const body = bodyLine('b', 1)

let disk = memoryDisk()
beforeEach(async () => {
  disk = memoryDisk()
  for (const name of ['', '/log', '/archives', '/quarantine']) {
    await disk.makeDirectory(`${directory}${name}`)
    await disk.setMode(`${directory}${name}`, 0o700)
  }
})
const put = (path: string, ...lines: readonly (Buffer | string)[]) =>
  disk.put(`${directory}/${path}`, Buffer.concat(lines.map((line) => Buffer.from(line))))
const survey = async (scrub?: boolean, on: Disk = disk) =>
  done(surveyStore({ directory, ...(scrub === undefined ? {} : { scrub }) }, on))
const told = async (scrub?: boolean, on?: Disk) =>
  (await survey(scrub, on)).findings.map(
    ({ _tag, severity, where, what }) => `${severity} ${_tag} ${where}: ${what}`,
  )
const owned = async () => {
  const { device, inode } = (await disk.status(directory)) ?? { device: 0n, inode: 0n }
  const taken = await takeOwnership({ directory, device, inode }, () => undefined)
  if (E.isRight(taken)) onTestFinished(() => taken.right.release())
}

test('what is sound is counted, and nothing is found', async () => {
  const { record, entry } = { ...commitOf('b', 1), record: recordOf('b', 1, 1, 'exhausted') }
  const exhausted = lineOf('commit', { record, entry })
  put(`log/${first}`, headerOf(1), commitLine('a', 1), exhausted, snapshotHead('b', 1, body), body)
  const archive = 'archives/00000000-0000-0000-0000-000000000001.json'
  put(archive, lineOf('archive', archiveOf('a', 'token')))
  put('archives/notes', 'of nobody’s concern')
  put('owner.lock', '')
  const bytes = disk.files().get(`${directory}/log/${first}`)?.length ?? 0
  const expected = {
    ...{ directory, formatVersion, owner: process.platform === 'linux' ? 'free' : 'unknown' },
    ...{ term: 1, segments: [{ name: first, bytes }], sessions: { registered: 1, exhausted: 1 } },
    ...{
      snapshots: 1,
      quarantine: [],
      dropped: { archives: 0, archiveBytes: 0, quarantined: 0, quarantinedBytes: 0 },
      findings: [],
    },
    archives: [expect.objectContaining({ location: archive, sessionId: 'a' })],
  }
  expect(await survey()).toEqual(expected)
  expect(await survey(false)).toEqual(expected)
  expect(await survey(true)).toEqual({ ...expected, scrubbed: { lines: 5, bytes, archives: 1 } })
})

test('of a log of a later version nothing is said but that it is one', async () => {
  put(`log/${first}`, lineOf('segment', { format: formatVersion + 1 }))
  const found = await survey(true)
  expect(found).toMatchObject({ term: 0, segments: [], sessions: {}, snapshots: 0 })
  expect(found).not.toHaveProperty('scrubbed')
  expect(await told()).toEqual([
    `problem newer-format log: ${first}: segment: format: version ${formatVersion + 1}, this program knows up to ${formatVersion}`,
  ])
})

test('what does not count is named: segments, interrupted writes, what waits, what is nobody’s', async () => {
  put(`log/${first}`, headerOf(1), commitLine('a', 1))
  put(`log/${segmentName(1, 2)}`, headerOf(2), commitLine('a', 1))
  put(`log/${segmentName(1, 3)}.tmp`, 'half')
  put('log/notes', 'mine')
  put('archives/x.json.tmp', 'half')
  put('x.snapshot.json', '{}')
  put('README', 'mine')
  expect(await told()).toEqual([
    `note left-over log/${first}: it counts no longer; the next start removes it`,
    `note left-over log/${segmentName(1, 3)}.tmp: an interrupted write; it does not count`,
    'note foreign-file log/notes: no segment of the log; it is let be',
    'note left-over archives/x.json.tmp: an interrupted write; it does not count',
    'note to-be-imported x.snapshot.json: a snapshot of format 0; the next start imports it',
    'note foreign-file README: it does not belong to the store; it is let be',
  ])
  if (process.platform !== 'linux') return
  // That of an owner is being written.
  await owned()
  expect((await told()).filter((one) => one.includes('interrupted'))).toEqual([])
})

test('damaged archives are named, and one that is gone meanwhile is not', async () => {
  put(`log/${first}`, headerOf(1), commitLine('a', 1))
  const [one, other] = [1, 2].map((n) => `archives/00000000-0000-0000-0000-00000000000${n}.json`)
  for (const location of [one, other]) put(location ?? '', 'x')
  const gone = {
    ...probed(disk, () => undefined),
    status: async (path: string) => (path.endsWith(`${other}`) ? undefined : disk.status(path)),
  }
  expect(await told(false, gone)).toEqual([
    `problem damaged-archive ${one}: ${one}: the line is cut off`,
  ])
})

test('who may read what, and what bears the name of a segment and is none, is told', async () => {
  put(`log/${first}`, headerOf(1), commitLine('a', 1))
  put(`log/${segmentName(1, 2)}`, 'linked')
  await disk.setMode(directory, 0o755)
  await disk.setMode(`${directory}/archives`, 0o707)
  await disk.setMode(`${directory}/log/${first}`, 0o007)
  // Less than may be is no finding.
  await disk.setMode(`${directory}/quarantine`, 0o500)
  const linked = {
    ...probed(disk, () => undefined),
    status: async (path: string) => {
      const status = await disk.status(path)
      return status === undefined || !path.endsWith(segmentName(1, 2))
        ? status
        : { ...status, links: 2 }
    },
  }
  expect(await told(false, linked)).toEqual([
    `problem foreign-file log/${segmentName(1, 2)}: not a regular file of its own`,
    'problem open-to-others .: its mode is 0755, not 0700',
    `problem open-to-others log/${first}: its mode is 0007, not 0600`,
    'problem open-to-others archives: its mode is 0707, not 0700',
  ])
})

describe('what is rotten where a start leaps over it', () => {
  beforeEach(() =>
    put(
      `log/${first}`,
      ...[headerOf(1, { whole: true }), sessionHead('b', [], body), rotten(body), checkpoint()],
    ),
  )

  test('is found by a scrub alone', async () => {
    expect(await told()).toEqual([])
    const found = await told(true)
    expect(found.length).toBe(1)
    expect(found[0]).toMatch(
      new RegExp(`^problem rotten-line log/${first}: byte \\d+: crc: expected`),
    )
    expect((await survey()).snapshots).toBe(1)
    expect(snapshotOf('b', 1).incarnation).toBe(1)
  })

  test('is looked at once more where an owner may be at work', async () => {
    if (process.platform !== 'linux') return
    await owned()
    let looks = 0
    const watched = probed(disk, ({ name, path }) => {
      if (name === 'list' && path.endsWith('/log')) looks += 1
    })
    expect((await told(true, watched)).length).toBe(1)
    // Twice a look.
    expect(looks).toBe(10)
  })
})

test('a segment that a scrub cannot read is told', async () => {
  put(`log/${first}`, headerOf(1), commitLine('a', 1))
  let opens = 0
  const failing = probed(disk, ({ name, path }) => {
    if (name !== 'open' || !path.endsWith(first)) return
    opens += 1
    // For its header, for its lines, and then to be scrubbed.
    if (opens === 3) throw systemError('EIO')
  })
  expect(await told(true, failing)).toEqual([
    `problem rotten-line log/${first}: it cannot be read: EIO`,
  ])
})
