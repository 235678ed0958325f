/** The roll of a checkpoint is never taken on trust: whatever becomes of it, everything is there. */
import { expect, test } from 'vitest'
import { whereverCut } from './power-cut.js'
import { contentOf, expectWhole, fill, filled, rollPath, storeOn, withHead } from './roll-scene.js'
import { done } from './sample.js'

test('whichever byte of it is changed, and wherever it is cut off: the log is read', async () => {
  const disk = await filled()
  const path = rollPath(disk)
  const content = contentOf(disk, path)
  for (let at = 0; at < content.length; at += 7) {
    const other = disk.copy()
    const changed = Buffer.from(content)
    changed[at] = (changed[at] ?? 0) ^ 1
    other.put(path, changed)
    const loaded = await expectWhole(other)
    expect(loaded.resting, `byte ${at}`).toBeUndefined()
  }
  for (let at = 0; at < content.length; at += 61) {
    const other = disk.copy()
    other.put(path, content.subarray(0, at))
    expect((await expectWhole(other)).resting, `cut at ${at}`).toBeUndefined()
  }
})

test('a head of another session than the roll names is refused', async () => {
  const disk = await withHead('b', (head) => head.replaceAll('"b"', '"x"'))
  const loaded = await done(storeOn(disk).open)
  expect(loaded.resting?.read('b')).toBeUndefined()
  expect(loaded.resting?.read('x')).toBeUndefined()
})

test('wherever the power is cut, everything is there', async () => {
  await whereverCut({ storeOn, fill }, async (after) => {
    await expectWhole(after)
  })
})
