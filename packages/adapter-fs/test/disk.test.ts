/** The disk of this machine, where a name is not what it was a moment ago. */
import { execFileSync } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { realDisk } from '../src/index.js'
import { freshDirectory } from './sample.js'

test('a link is neither opened nor written through, and a queue does not block', async () => {
  const directory = freshDirectory()
  const target = join(directory, 'target')
  const link = join(directory, 'link')
  const queue = join(directory, 'queue')
  writeFileSync(target, 'precious')
  symlinkSync(target, link)
  symlinkSync(join(directory, 'nowhere'), join(directory, 'dangling'))
  execFileSync('mkfifo', [queue])
  await expect(realDisk.open(link)).rejects.toMatchObject({ code: 'ELOOP' })
  await expect(realDisk.open(queue)).rejects.toMatchObject({ code: 'EINVAL' })
  await expect(realDisk.open(directory)).rejects.toMatchObject({ code: 'EINVAL' })
  for (const name of ['target', 'link', 'dangling', 'queue']) {
    await expect(realDisk.create(join(directory, name))).rejects.toMatchObject({ code: 'EEXIST' })
  }
  expect(readFileSync(target, 'utf8')).toBe('precious')
  expect(await realDisk.status(join(directory, 'nowhere'))).toBeUndefined()
})
