/**
 * What state a store is in: told from what lies there, without owning, changing or making anything, so that
 * it can be asked while an engine works there.
 */
import type { NotFound, SessionStateName, StoreError } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { type ArchiveHead, archiveHeadAt, archiveLocations } from './archive.js'
import { type Disk, type FileStatus, realDisk, unfinished } from './disk.js'
import { type LoadedLog, loadLog } from './load.js'
import { type FileStoreOptions, limitBytesOf } from './option.js'
import { ownerOf } from './ownership.js'
import { directoryMode, type Place, viewPlace } from './place.js'
import { listQuarantine, type QuarantinedFile } from './quarantine-list.js'
import { rolledSegment } from './roll.js'
import { scrub } from './scrub.js'
import { seedEnding } from './seed-snapshot.js'
import { segmentNumbers } from './segment.js'
import { type Dropped, formatVersion } from './statement.js'
import { attempt, codeOf } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

/** Something about a store that is worth saying. */
export interface Finding {
  readonly _tag: /** A later version wrote it; this one leaves it alone. */
    | 'newer-format'
    /** Part of the log cannot be read. */
    | 'damaged-log'
    /** A line that is leapt over on opening has rotted, or cannot be read; found by a scrub alone. */
    | 'rotten-line'
    | 'damaged-archive'
    /** Others may read or change what is there, or it is somebody else's. */
    | 'open-to-others'
    /** Not a regular file of the store's own. */
    | 'foreign-file'
    | 'set-aside'
    | 'left-over'
    | 'to-be-imported'
  /** Something is wrong, or is merely worth knowing. */
  readonly severity: 'problem' | 'note'
  /** A path within the store's directory, and the place in it. */
  readonly where: string
  readonly what: string
  readonly sessionId?: string
}

export interface StoreSurvey {
  readonly directory: string
  /** The highest format found; this program writes {@link formatVersion}. */
  readonly formatVersion: number
  readonly owner: 'owned' | 'free' | 'unknown'
  /** The highest term that has written here. */
  readonly term: number
  readonly segments: readonly { readonly name: string; readonly bytes: number }[]
  readonly sessions: Readonly<Partial<Record<SessionStateName, number>>>
  readonly snapshots: number
  readonly archives: readonly ArchiveHead[]
  readonly quarantine: readonly QuarantinedFile[]
  /** What retention has dropped since the store was made; absent: the log cannot be read. */
  readonly dropped?: Dropped
  /** What a scrub read; absent: none was asked for. */
  readonly scrubbed?: { readonly lines: number; readonly bytes: number; readonly archives: number }
  readonly findings: readonly Finding[]
}

export interface SurveyOptions extends Pick<FileStoreOptions, 'directory' | 'limitBytes'> {
  /** Whether every line is read and checked, also those that are leapt over on opening. Default: no. */
  readonly scrub?: boolean
}

const fileMode = 0o600
const inner = ['log', 'archives', 'quarantine', 'imported'] as const
const lockName = 'owner.lock'

// ----------------------------------------------------------------------------------- constructors

/**
 * Looks a store over. What it finds is an answer, also when all of it is broken; an error is that there is
 * no store, or that it cannot be looked at.
 */
export const surveyStore = (options: SurveyOptions, disk: Disk = realDisk) =>
  attempt('survey', async (): Promise<E.Either<StoreError, StoreSurvey>> => {
    const place = await viewPlace(disk, options.directory)
    if (E.isLeft(place)) return place
    return settled(() => survey(disk, place.right, options))
  })

// An owner that works meanwhile may replace segments: what is gone when it is looked at is looked for anew.
const tries = 5

const settled = async (
  look: () => Promise<StoreSurvey>,
): Promise<E.Either<NotFound, StoreSurvey>> => {
  for (let left = tries; ; left--) {
    try {
      const found = await look()
      const isTorn = found.owner === 'owned' && found.findings.some(isOfLog)
      if (!isTorn || left <= 1) return E.right(found)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || left <= 1) throw error
    }
  }
}

const isOfLog = ({ _tag }: Finding): boolean => _tag === 'damaged-log' || _tag === 'rotten-line'

const survey = async (disk: Disk, place: Place, options: SurveyOptions): Promise<StoreSurvey> => {
  const owner = await ownerOf(place)
  const loaded = await loadLog(disk, place.log, limitBytesOf(options), 1)
  const archives = await archivesIn(disk, place)
  const quarantine = await listQuarantine(disk, place)
  const found = E.isRight(loaded) ? loaded.right : undefined
  const read =
    options.scrub === true && found !== undefined
      ? await scrub(disk, place.directory, found.live, async () => true)
      : undefined
  const sessions = found === undefined ? { sessions: {}, snapshots: 0 } : countsOf(found)
  return {
    directory: place.directory,
    formatVersion,
    owner,
    term: found?.term ?? 0,
    segments: found?.live ?? [],
    ...sessions,
    archives: archives.heads,
    quarantine,
    ...(found === undefined ? {} : { dropped: found.index.dropped }),
    ...(read === undefined
      ? {}
      : { scrubbed: { lines: read.lines, bytes: read.bytes, archives: read.archivesRead } }),
    findings: [
      ...(E.isLeft(loaded) ? [problem('newer-format', 'log', loaded.left)] : []),
      ...(found === undefined ? [] : ofLog(found, quarantine)),
      ...(read?.rot ?? []).map(({ segment, offset, problem: what }) =>
        problem('rotten-line', `log/${segment}: byte ${offset}`, what),
      ),
      ...(read?.unreadable ?? [])
        .filter(({ location }) => location.startsWith('log/'))
        .map(({ location, problem: what }) => problem('rotten-line', location, what)),
      ...archives.findings,
      ...quarantine.map(({ location, problem: what, sessionId }) => ({
        ...note('set-aside', location, what),
        ...(sessionId === undefined ? {} : { sessionId }),
      })),
      ...(await ofFiles(disk, place, owner === 'owned')),
    ],
  }
}

const problem = (_tag: Finding['_tag'], where: string, what: string): Finding => ({
  _tag,
  severity: 'problem',
  where,
  what,
})

const note = (_tag: Finding['_tag'], where: string, what: string): Finding => ({
  _tag,
  severity: 'note',
  where,
  what,
})

// ------------------------------------------------------------------------------------ combinators

const countsOf = ({ index }: LoadedLog) => {
  const sessions: Partial<Record<SessionStateName, number>> = {}
  let snapshots = 0
  for (const [, { record, snapshot }] of index.entries()) {
    if (record !== undefined) sessions[record.state] = (sessions[record.state] ?? 0) + 1
    if (snapshot !== undefined) snapshots += 1
  }
  return { sessions, snapshots }
}

const ofLog = (
  { damages, superseded, foreign }: LoadedLog,
  quarantine: readonly QuarantinedFile[],
): readonly Finding[] => {
  const known = new Set(quarantine.map(({ location }) => location))
  return [
    ...damages.map(({ segment, line, offset, problem: what, sessionId }): Finding => {
      const where = `log/${segment}: ${line === 0 ? `byte ${offset}` : `line ${line}`}`
      const whose = sessionId === undefined ? {} : { sessionId }
      // A former start has told of it; it stands there until a checkpoint starts the log afresh.
      return known.has(`quarantine/${segment}.${offset}`)
        ? { ...note('damaged-log', where, `${what}; it was set aside`), ...whose }
        : { ...problem('damaged-log', where, what), ...whose }
    }),
    ...foreign.map((name) =>
      problem('foreign-file', `log/${name}`, 'not a regular file of its own'),
    ),
    ...superseded.map((name) =>
      note('left-over', `log/${name}`, 'it counts no longer; the next start removes it'),
    ),
  ]
}

const archivesIn = async (disk: Disk, { directory }: Place) => {
  const heads: ArchiveHead[] = []
  const findings: Finding[] = []
  for (const location of await archiveLocations(disk, directory)) {
    const head = await archiveHeadAt(disk, directory, location)
    if (E.isRight(head)) heads.push(head.right)
    else if (head.left._tag !== 'NotFound') {
      findings.push(problem('damaged-archive', location, head.left.message))
    }
  }
  return { heads, findings }
}

/** Looks at every name: who may read it, and whether it belongs there. */
const ofFiles = async (disk: Disk, place: Place, isOwned: boolean): Promise<readonly Finding[]> => {
  const findings: Finding[] = []
  const look = async (path: string, where: string, mode: number) => {
    const status = await disk.status(path)
    if (status !== undefined) findings.push(...openToOthers(status, where, mode))
  }
  await look(place.directory, '.', directoryMode)
  for (const name of inner) {
    const folder = `${place.directory}/${name}`
    const status = await disk.status(folder)
    if (status === undefined) continue
    if (status.kind !== 'directory') {
      findings.push(problem('foreign-file', name, 'not a directory'))
      continue
    }
    await look(folder, name, directoryMode)
    for (const file of await disk.list(folder)) {
      const where = `${name}/${file}`
      if (file.endsWith(unfinished)) {
        // That of an owner is being written.
        if (!isOwned)
          findings.push(note('left-over', where, 'an interrupted write; it does not count'))
      } else if (name === 'log' && segmentNumbers(rolledSegment(file) ?? file) === undefined) {
        findings.push(note('foreign-file', where, 'no segment of the log; it is let be'))
      }
      await look(`${folder}/${file}`, where, fileMode)
    }
  }
  for (const name of await disk.list(place.directory)) {
    if ((inner as readonly string[]).includes(name) || name === lockName) continue
    findings.push(
      name.endsWith(seedEnding)
        ? note('to-be-imported', name, 'a snapshot of format 0; the next start imports it')
        : note('foreign-file', name, 'it does not belong to the store; it is let be'),
    )
  }
  return findings
}

const openToOthers = (status: FileStatus, where: string, mode: number): readonly Finding[] => {
  const { kind, userId } = status
  if (kind !== 'file' && kind !== 'directory') return []
  const user = process.geteuid?.()
  if (user !== undefined && userId !== user) {
    return [problem('open-to-others', where, `it belongs to user ${userId}, not to ${user}`)]
  }
  if (user === undefined || (status.mode & ~mode) === 0) return []
  const found = status.mode.toString(8).padStart(4, '0')
  return [
    problem(
      'open-to-others',
      where,
      `its mode is ${found}, not ${mode.toString(8).padStart(4, '0')}`,
    ),
  ]
}
