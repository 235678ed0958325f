/** One owner across processes: what the kernel frees when one dies, however it does. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { fileStore } from '../src/index.js'
import { closing, done, freshDirectory, refused } from './sample.js'

const writer = fileURLToPath(new URL('writer.mjs', import.meta.url))

test.runIf(process.platform === 'linux')(
  'kill -9 of the owner frees the store at once',
  async () => {
    const directory = freshDirectory()
    const owner = spawn(process.execPath, [writer, directory, 'idle'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await once(owner.stdout, 'data')
      const store = closing(fileStore({ directory }))
      expect(await refused(store.open)).toMatchObject({ _tag: 'StoreOwned' })
      owner.kill('SIGSTOP')
      expect(await refused(store.open)).toMatchObject({ _tag: 'StoreOwned' })
      owner.kill('SIGKILL')
      await once(owner, 'exit')
      const { sessions } = await done(store.open)
      expect(sessions.length).toBe(1)
    } finally {
      owner.kill('SIGKILL')
    }
  },
)

test('an open store does not keep its process alive', async () => {
  const directory = freshDirectory()
  const owner = spawn(process.execPath, [writer, directory, 'leave'], { stdio: 'ignore' })
  try {
    const [code] = await once(owner, 'exit', { signal: AbortSignal.timeout(20_000) })
    expect(code).toBe(0)
  } finally {
    owner.kill('SIGKILL')
  }
  await done(closing(fileStore({ directory })).open)
})
