/** Closing ends everything, and nothing here keeps a program alive that forgets to close. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { inspectorOf } from './scope.js'
import { recoveryOf, traceOf } from './trace.js'
import { valuesOf, viewerOf } from './viewer.js'

describe('close', () => {
  it('ends every connection, and the sink', async () => {
    const inspector = await inspectorOf()
    const { port } = inspector.address
    const viewers = await Promise.all([viewerOf(inspector.url), viewerOf(inspector.url)])
    viewers[1]?.socket.pause()
    const mute = createConnection({ host: '127.0.0.1', port })
    await once(mute, 'connect')
    recoveryOf('shell-1').forEach(inspector.sink)
    await inspector.close()
    viewers[1]?.socket.resume()
    await Promise.all([...viewers.map(({ closed }) => closed), once(mute, 'close')])
    expect(inspector.viewers().connected).toBe(0)
    const untouchable = new Proxy(traceOf('shell-2')[0], {
      get: () => {
        throw new Error('a closed inspector looks at nothing')
      },
    })
    inspector.sink(untouchable)
    expect(inspector.close()).toBe(inspector.close())
    await expect(viewerOf(inspector.url)).rejects.toThrow('ECONNREFUSED')
  })
})

describe('a program', () => {
  const start = `
    import { defaultPolicy } from '@session-recovery/core'
    import { startInspector } from '@session-recovery/adapter-inspect'
    const started = await startInspector({ policy: defaultPolicy })()
    console.log(started.right.url)
    await new Promise((resolve) => process.stdin.once('data', resolve))
    process.stdin.destroy()
  `

  const run = async (program: string) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: new URL('..', import.meta.url),
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    onTestFinished(() => {
      child.kill('SIGKILL')
    })
    const exited = once(child, 'exit')
    const [url] = await once(child.stdout, 'data')
    const viewer = await viewerOf(String(url).trim())
    child.stdin.write('go on')
    return { viewer, exited }
  }

  it('ends by itself after closing, with a viewer connected', async () => {
    const { viewer, exited } = await run(`${start}
      await started.right.close()
    `)
    expect(await exited).toEqual([0, null])
    await viewer.closed
  })

  it('ends by itself even if it forgets to close', async () => {
    const { viewer, exited } = await run(start)
    expect(await exited).toEqual([0, null])
    await viewer.closed
    expect(valuesOf(viewer.seen)).toEqual([])
  })
})
