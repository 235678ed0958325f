/**
 * Where what cannot be used is kept: raw bytes out of the log, and whole files that are not ours.
 */
import { idOf, type Quarantined } from '@session-recovery/core'
import type { Damage } from './damage.js'
import { type Disk, type DiskFile, writeAll, writeWhole } from './disk.js'
import type { Extent } from './session-index.js'

// ------------------------------------------------------------------------------------------ model

/** Keeps a damaged line that was come upon while the store was open. */
export type SetAside = (
  extent: Extent,
  bytes: Buffer,
  problem: string,
  sessionId: string | undefined,
) => Promise<void>

export const quarantineName = 'quarantine'

const pieceBytes = 1 << 20

// ----------------------------------------------------------------------------------- constructors

/** What is told of something set aside. */
export const quarantined = (
  source: string,
  keptAs: string,
  problem: string,
  sessionId: string | undefined,
): Quarantined => ({
  source,
  keptAs,
  problem,
  ...(sessionId === undefined ? {} : { sessionId }),
})

// ------------------------------------------------------------------------------------ combinators

/**
 * Copies a damaged stretch of the log, under a name made of its place: found again, it is the same.
 */
export const setAsideStretch = async (
  disk: Disk,
  log: string,
  quarantine: string,
  damage: Damage,
): Promise<Quarantined> => {
  const { segment, offset, bytes, line, problem, sessionId } = damage
  const source = `log/${segment}: ${line === 0 ? `byte ${offset}` : `line ${line}`}`
  if (bytes === 0) return quarantined(source, '', problem, sessionId)
  const name = `${segment}.${offset}`
  if ((await disk.status(`${quarantine}/${name}`))?.sizeBytes !== bytes) {
    const from = await disk.open(`${log}/${segment}`)
    try {
      await writeWhole(disk, quarantine, name, (file) => copy(from, offset, bytes, file))
    } finally {
      await from.close()
    }
  }
  return quarantined(source, `${quarantineName}/${name}`, problem, sessionId)
}

const copy = async (from: DiskFile, offset: number, bytes: number, to: DiskFile) => {
  for (let done = 0; done < bytes; done += pieceBytes) {
    const piece = await from.read(offset + done, Math.min(pieceBytes, bytes - done))
    await writeAll(to, piece, done)
  }
}

/**
 * Moves a file that is not ours, or cannot be read, out of the way; what it stands for is not touched.
 * Both directories are to be flushed afterwards.
 */
export const setAsideFile = async (
  disk: Disk,
  directory: string,
  name: string,
  into: { readonly path: string; readonly name: string },
): Promise<string> => {
  const free = await freeName(disk, into.path, name)
  await disk.rename(`${directory}/${name}`, `${into.path}/${free}`)
  return `${into.name}/${free}`
}

// Its own name where that is free; a name of fixed length where it is not.
const freeName = async (disk: Disk, directory: string, name: string): Promise<string> => {
  let candidate = name
  for (let i = 1; (await disk.status(`${directory}/${candidate}`)) !== undefined; i++) {
    candidate = `${idOf('set aside', name, i)}.json`
  }
  return candidate
}
