/** A draft says where its lines will stand, and is written once there is as much of it as is asked for. */
import { memoryDisk } from '@session-recovery/testkit'
import { expect, test } from 'vitest'
import { Draft } from '../src/draft.js'

test('what is added stands behind what was added before, written or not', async () => {
  const disk = memoryDisk()
  await disk.makeDirectory('/log')
  const draft = new Draft(await disk.create('/log/it'), 'it')
  const text = () => disk.files().get('/log/it')?.toString()
  expect(draft.add(Buffer.from('one\n'))).toEqual({ segment: 'it', offset: 0, bytes: 4 })
  await draft.flush(5)
  expect(text()).toBe('')
  expect(draft.add(Buffer.from('three\n'))).toEqual({ segment: 'it', offset: 4, bytes: 6 })
  await draft.flush(5)
  expect(text()).toBe('one\nthree\n')
  expect(draft.add(Buffer.from('x\n'))).toEqual({ segment: 'it', offset: 10, bytes: 2 })
  await draft.flush(0)
  await draft.flush(0)
  expect([text(), draft.bytes, draft.lines]).toEqual(['one\nthree\nx\n', 12, 3])
})
