/** One power cut under a writer at work, and what the writer was told up to it. */
import type { LoopMount } from './loop-mount.js'
import { type History, note, noteUnsure } from './store-history.js'
import type { WriterTask } from './store-work.js'
import { startWriter } from './writer-process.js'

// ------------------------------------------------------------------------------------------ model

/** When the power goes: after the writer has said so many lines, and then so long. */
export interface Moment {
  readonly lines: number
  readonly delayMs: number
  /** What the journal of the filesystem holds by then reaches the medium. */
  readonly flushesLog: boolean
}

/** What the cuts of a row met. */
export interface Met {
  acknowledged: number
  /** Acknowledged while the power went. */
  unsure: number
  refused: number
  setAside: number
}

export const newMet = (): Met => ({ acknowledged: 0, unsure: 0, refused: 0, setAside: 0 })

// ------------------------------------------------------------------------------------ combinators

/**
 * Lets a writer work until the power is cut; resolves to what it should not have said.
 *
 * A flush that is under way while a filesystem is shut down may say that it succeeded, and has not: ext4
 * does not tell of an extent that it could not convert any more. Whoever is really without power does not
 * hear that. So what came back during the cut itself may be there or not; what was called for after it
 * must have been refused.
 */
export const writeUntilCut = async (
  mounted: LoopMount,
  task: WriterTask,
  history: History,
  { lines, delayMs, flushesLog }: Moment,
  met: Met,
): Promise<readonly string[]> => {
  const cutter = mounted.cutter({ flushesLog })
  const writer = startWriter(task)
  if (lines > 0) await writer.hasSaid(lines)
  await new Promise((resolve) => setTimeout(resolve, delayMs))
  const { fromMs, untilMs } = await cutter.cut()
  // It goes on until it is refused for good: what it says of a disk that is gone, it is held to.
  const { how, complaint } = await writer.gone
  if (how !== '0' || complaint !== '') throw new Error(`the writer ended with ${how}: ${complaint}`)
  const wrong: string[] = []
  for (const telling of writer.said) {
    if (telling._tag === 'refused') met.refused += 1
    if (telling._tag === 'ended')
      wrong.push(...telling.leftOpen.map((file) => `${file} was left open`))
    if (!('backMs' in telling)) note(history, telling)
    else if (telling.backMs < fromMs) {
      note(history, telling)
      met.acknowledged += 1
    } else if (telling.calledMs > untilMs) {
      wrong.push(`acknowledged on a disk that was gone: ${JSON.stringify(telling)}`)
    } else {
      noteUnsure(history, telling)
      met.unsure += 1
    }
  }
  return wrong
}
