/** Rivals for one store: the story their notes tell, and that a store nobody guards is seen through. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fight, type Note, storyOf } from '../src/index.js'

const acquired = (pid: number, rev: number): Note => ({ _tag: 'acquired', slot: 0, pid, rev })
const committed = (pid: number, rev: number): Note => ({ _tag: 'committed', pid, rev })
const releasing = (pid: number): Note => ({ _tag: 'releasing', pid })

describe('the story that the notes of rivals tell', () => {
  it('is sound when one acts after the other, and when an owner dies between two notes', () => {
    const notes = [
      ...[acquired(1, 0), committed(1, 1), releasing(1), acquired(2, 1), committed(2, 2)],
      // 2 dies: its revision 3 reached the disk, and nobody was told.
      ...[acquired(3, 3), committed(3, 4), releasing(3)],
    ]
    expect(storyOf(notes)).toEqual({ acquired: 3, deaths: 1, stale: 0, wrong: [] })
  })

  it.each([
    [
      'an owner goes on that another has followed',
      [acquired(1, 0), acquired(2, 0), committed(1, 1)],
    ],
    [
      'two acknowledge the same revision',
      [acquired(1, 0), acquired(2, 0), committed(2, 1), committed(2, 1)],
    ],
    [
      'what was acknowledged is not found',
      [acquired(1, 0), committed(1, 1), releasing(1), acquired(2, 0)],
    ],
    ['more is found than was ever tried', [acquired(1, 0), releasing(1), acquired(2, 1)]],
    ['somebody commits who does not own it', [acquired(1, 0), releasing(1), committed(1, 1)]],
    ['a rival saw something', [{ _tag: 'wrong', pid: 1, what: 'it' } as const]],
  ])('is wrong when %s', (_, notes) => {
    expect(storyOf(notes).wrong.length).toBeGreaterThan(0)
  })
})

const fought = async (more: Parameters<typeof fight>[3]) => {
  const directory = mkdtempSync(join(tmpdir(), 'session-recovery-rivals-'))
  try {
    return await fight({ directory, seed: 5, progress: () => {} }, 5, 6, more)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

describe.runIf(process.platform === 'linux')('rivals that are stopped and killed', () => {
  it('never own a store at once', async () => {
    const { tried, lost } = await fought({})
    expect(lost).toEqual([])
    expect(tried).toBeGreaterThanOrEqual(30)
  })

  it('are seen to where nothing guards it', async () => {
    expect((await fought({ unprotected: true })).lost).not.toEqual([])
  })
})
