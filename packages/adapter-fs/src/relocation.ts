/**
 * What a checkpoint does once its segment is the log: all that refers to the segments before it is told where it
 * stands now, while the log goes on and others have their turns; then they are removed.
 */
import type { Disk } from './disk.js'
import { inTurns, type Turns } from './pace.js'
import { rollName } from './roll.js'
import type { Extent, HeldSnapshot, SessionIndex } from './session-index.js'

// ------------------------------------------------------------------------------------------ model

/** The segments that were replaced. */
export interface Former {
  readonly segments: ReadonlySet<string>
  /** Where a line stands now: of theirs somewhere else, or nowhere (`undefined`); any other where it stood. */
  readonly placeOf: (extent: Extent) => Extent | undefined
}

/** Of a body that was sealed anew. */
export type SealedAnew = Pick<HeldSnapshot, 'bodyCrc' | 'key'>

export interface RelocationOptions extends Turns {
  readonly disk: Disk
  readonly directory: string
  readonly index: SessionIndex
}

// ------------------------------------------------------------------------------------- relocation

/** @param sealed by where they stood. */
export const letGo = async (
  options: RelocationOptions,
  { segments, placeOf }: Former,
  sealed: ReadonlyMap<Extent, SealedAnew>,
): Promise<void> => {
  const { disk, directory, index } = options
  await inTurns(options, index.entries(), ([sessionId, held]) => {
    const { record, snapshot, entries, forgotten } = held
    index.hold(sessionId, {
      record,
      snapshot: snapshot && relocated(snapshot, placeOf(snapshot.body), sealed),
      entries: entries.flatMap((extent) => placeOf(extent) ?? []),
      forgotten,
    })
  })
  for (const name of [...segments].flatMap((segment) => [segment, rollName(segment)])) {
    await disk.remove(`${directory}/${name}`).catch(() => undefined)
  }
}

const relocated = (
  snapshot: HeldSnapshot,
  body: Extent | undefined,
  sealed: ReadonlyMap<Extent, SealedAnew>,
): HeldSnapshot | undefined => {
  if (body === undefined) return undefined
  const { incarnation, view, body: former } = snapshot
  const { bodyCrc, key } = sealed.get(former) ?? snapshot
  return { incarnation, view, body, bodyCrc, key }
}
