/** The look at a store after a disaster: what was acknowledged and is not there is seen, whatever it is. */
import { memoryDisk } from '@session-recovery/testkit'
import { describe, expect, it } from 'vitest'
import { checkStore } from '../src/store-check.js'
import {
  type History,
  newHistory,
  note,
  noteUnsure,
  placesToBeFound,
} from '../src/store-history.js'
import { Writer } from '../src/store-work.js'

const directory = '/data/store'
const retention = { journalEntriesPerSession: 5, forgottenSessions: 1 }
const times = { calledMs: 1, backMs: 2 }

const written = async () => {
  const disk = memoryDisk()
  const history = newHistory()
  const task = {
    directory,
    retention,
    places: { a: 0, b: 0 },
    steps: 10,
    checkpoints: 2,
    turns: 1,
    folded: 0,
    throughSeq: 0,
  }
  await new Writer(task, disk, (telling) => note(history, telling)).run()
  return { disk, history }
}

const complaintsAfter = async (lie: (history: History) => void) => {
  const { disk, history } = await written()
  lie(history)
  return (await checkStore(directory, retention, history, disk)).complaints.join('\n')
}

describe('what is found', () => {
  it('is what was acknowledged', async () => {
    const { disk, history } = await written()
    expect(history.refused).toBe(0)
    expect([...history.places]).toEqual([
      ['a', 10],
      ['b', 10],
    ])
    expect(await checkStore(directory, retention, history, disk)).toEqual({
      complaints: [],
      setAside: 0,
    })
  })

  it('lacks what was acknowledged and is not there', async () => {
    const commit = (h: History) =>
      note(h, { _tag: 'reached', id: 'a', place: 11, seq: 99, ...times })
    expect(await complaintsAfter(commit)).toContain('place 11 was acknowledged, place 10 is there')
    const snapshot = (h: History) => note(h, { _tag: 'saved', id: 'a', place: 10, ...times })
    expect(await complaintsAfter(snapshot)).toContain('snapshot of place 9, not of 10')
    const location = 'archives/00000000-0000-0000-0000-000000000000.json'
    const archive = (h: History) =>
      note(h, { _tag: 'archived', id: 'a', place: 8, location, ...times })
    expect(await complaintsAfter(archive)).toContain(`archive ${location}`)
    const checkpoint = (h: History) => note(h, { _tag: 'folded', number: 3, ...times })
    expect(await complaintsAfter(checkpoint)).toMatch(/checkpoint 3 is gone, [12] is there/)
  })

  it('has nothing that was never written', async () => {
    const forgotten = (h: History) => h.places.set('a', 3)
    expect(await complaintsAfter(forgotten)).toContain(
      'place 3 was acknowledged, place 10 is there',
    )
    // The last one takes some turns, in which the writer may have come to its end.
    const neverFolded = (h: History) => h.folds.delete(h.folded)
    expect(await complaintsAfter(neverFolded)).toMatch(/checkpoint [12] was never written/)
  })
})

it('a draft that was left is swept away; what lies about all the same is told of', async () => {
  const { disk, history } = await written()
  disk.put(`${directory}/log/00000009-00000001.jsonl.tmp`, Buffer.from('torn'))
  const { complaints } = await checkStore(directory, retention, history, disk)
  expect(complaints).toEqual([])
  disk.put(`${directory}/imported/draft.tmp`, Buffer.from('torn'))
  const later = await checkStore(directory, retention, history, disk)
  expect(later.complaints).toEqual(['/imported/draft.tmp was left lying about'])
})

it('what came back while the power went may be there or not', () => {
  const history = newHistory()
  note(history, { _tag: 'reached', id: 'a', place: 2, seq: 2, ...times })
  expect(placesToBeFound(history, 'a')).toEqual([2, 3])
  noteUnsure(history, { _tag: 'reached', id: 'a', place: 3, seq: 3, ...times })
  expect(placesToBeFound(history, 'a')).toEqual([2, 3, 4])
})
