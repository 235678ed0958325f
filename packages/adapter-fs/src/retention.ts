/**
 * Bounds what is kept beside the log: of archives and of the quarantine the oldest go when there are too
 * many, too much, or when they are too old. What was dropped is counted, and told.
 */
import type { Logger } from '@session-recovery/core'
import type { Disk } from './disk.js'
import { unfinished } from './disk.js'
import type { Settings } from './option.js'
import type { Place } from './place.js'
import type { SessionIndex } from './session-index.js'
import type { Dropped } from './statement.js'

// ------------------------------------------------------------------------------------------ model

/** What of a kind of file is kept. */
export interface Bounds {
  readonly count: number
  readonly bytes: number
  readonly ageMs: number
}

interface KeptFile {
  readonly name: string
  readonly bytes: number
  readonly modifiedMs: number
  /** Somebody still refers to it: of the rest the oldest go first. */
  readonly wanted: boolean
}

// ----------------------------------------------------------------------------------- constructors

/** Drops what is beyond the bounds. What cannot be looked at or removed now is left for the next time. */
export const retain = async (
  disk: Disk,
  place: Place,
  settings: Settings,
  index: SessionIndex,
): Promise<Dropped> => {
  const nowMs = settings.wallMs()
  const isWanted = wantedArchives(index)
  const archives = await dropIn(disk, place.archives, archiveBounds(settings), nowMs, (name) =>
    isWanted.has(`archives/${name}`),
  )
  const quarantined = await dropIn(
    disk,
    place.quarantine,
    quarantineBounds(settings),
    nowMs,
    () => false,
  )
  return {
    archives: archives.count,
    archiveBytes: archives.bytes,
    quarantined: quarantined.count,
    quarantinedBytes: quarantined.bytes,
  }
}

const archiveBounds = ({ archives, archiveBytes, archiveAgeMs }: Settings): Bounds => ({
  count: archives,
  bytes: archiveBytes,
  ageMs: archiveAgeMs,
})

const quarantineBounds = (settings: Settings): Bounds => ({
  count: settings.quarantined,
  bytes: settings.quarantinedBytes,
  ageMs: settings.quarantinedAgeMs,
})

/** Both together. */
export const droppedMore = (a: Dropped, b: Dropped): Dropped => ({
  archives: a.archives + b.archives,
  archiveBytes: a.archiveBytes + b.archiveBytes,
  quarantined: a.quarantined + b.quarantined,
  quarantinedBytes: a.quarantinedBytes + b.quarantinedBytes,
})

/** Whether anything was dropped. */
export const isDropped = ({ archives, quarantined }: Dropped): boolean => archives + quarantined > 0

/** Tells of what was dropped, with the sum since the store was made. */
export const tellDropped = (logger: Logger, now: Dropped, sum: Dropped): void => {
  logger(
    'info',
    `retention: dropped ${now.archives} archives and ${now.quarantined} quarantined files`,
    { _tag: 'Dropped', now, sum },
  )
}

// ------------------------------------------------------------------------------------ combinators

const wantedArchives = (index: SessionIndex): ReadonlySet<string> => {
  const wanted = new Set<string>()
  // Whoever names an archive is read when the store is opened.
  for (const [, { record }] of index.asked()) {
    const location = record?.control.lastEnd?.archive
    if (location !== undefined) wanted.add(location)
  }
  return wanted
}

const dropIn = async (
  disk: Disk,
  directory: string,
  bounds: Bounds,
  nowMs: number,
  isWanted: (name: string) => boolean,
): Promise<{ readonly count: number; readonly bytes: number }> => {
  let [count, bytes] = [0, 0]
  try {
    for (const file of beyond(await filesIn(disk, directory, isWanted), bounds, nowMs)) {
      await disk.remove(`${directory}/${file.name}`)
      count += 1
      bytes += file.bytes
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
  }
  return { count, bytes }
}

const filesIn = async (
  disk: Disk,
  directory: string,
  isWanted: (name: string) => boolean,
): Promise<readonly KeptFile[]> => {
  const files: KeptFile[] = []
  for (const name of await disk.list(directory)) {
    if (name.endsWith(unfinished)) continue
    const status = await disk.status(`${directory}/${name}`)
    if (status?.kind !== 'file') continue
    const { sizeBytes, modifiedMs } = status
    files.push({ name, bytes: sizeBytes, modifiedMs, wanted: isWanted(name) })
  }
  return files
}

/** What has to go, first what goes first. The newest stays, however large it is. */
export const beyond = (
  files: readonly KeptFile[],
  { count, bytes, ageMs }: Bounds,
  nowMs: number,
): readonly KeptFile[] => {
  const order = [...files].sort(
    (a, b) =>
      Number(a.wanted) - Number(b.wanted) ||
      a.modifiedMs - b.modifiedMs ||
      (a.name < b.name ? -1 : 1),
  )
  const newest = Math.max(...order.map(({ modifiedMs }) => modifiedMs))
  let [leftCount, leftBytes] = [order.length, order.reduce((sum, file) => sum + file.bytes, 0)]
  return order.filter((file) => {
    const isOld = nowMs - file.modifiedMs > ageMs
    const isMuch = leftCount > count || leftBytes > bytes
    if (!isOld && (!isMuch || file.modifiedMs === newest)) return false
    leftCount -= 1
    leftBytes -= file.bytes
    return true
  })
}
