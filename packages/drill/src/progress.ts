/**
 * Progress of the drill: redrawn in place on a terminal, one plain line for each row elsewhere. What is
 * not as expected stays on the screen either way.
 */
import { styleText } from 'node:util'
import { createLogUpdate } from 'log-update'
import type { Played } from './play.js'
import { type Row, rowName } from './row.js'
import { isMiss, lineOf } from './show.js'

export interface Progress {
  readonly began: (row: Row) => void
  readonly ended: (played: Played) => void
  readonly end: () => void
}

/** Shows on `stream` how far `total` rows are. */
export const progressOn = (stream: NodeJS.WriteStream, total: number): Progress =>
  stream.isTTY ? redrawn(stream, total) : plain(stream, total)

const plain = (stream: NodeJS.WriteStream, total: number): Progress => {
  let done = 0
  return {
    began: () => {},
    ended: (played) => {
      done += 1
      stream.write(`${String(done).padStart(String(total).length)}/${total} ${lineOf(played)}\n`)
    },
    end: () => {},
  }
}

const redrawn = (stream: NodeJS.WriteStream, total: number): Progress => {
  const update = createLogUpdate(stream)
  const playing = new Set<Row>()
  let done = 0
  let missed = 0
  const draw = () => {
    // What does not fit is left out: a line that wraps would make the view jump.
    const cut = (text: string) => text.slice(0, Math.max(20, stream.columns - 1))
    const count = `${done} of ${total} rows${missed === 0 ? '' : `, ${missed} not as expected`}`
    const rows = [...playing].map((row) => styleText('dim', cut(`  ${rowName(row)}`), { stream }))
    update([cut(count), ...rows].join('\n'))
  }
  return {
    began: (row) => {
      playing.add(row)
      draw()
    },
    ended: (played) => {
      playing.delete(played.row)
      done += 1
      if (isMiss(played)) {
        missed += 1
        update.clear()
        stream.write(`${lineOf(played)}\n`)
      }
      draw()
    },
    end: () => {
      update.clear()
      update.done()
    },
  }
}
