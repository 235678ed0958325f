/** A start that waits for its turn of the loop and is called off meanwhile, or whose host is closed, is none. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { localHost } from '../src/local-host.js'
import { bash, processesNaming, type Rig, realClock, rigOf } from './rig.js'

let rig: Rig
beforeAll(() => {
  rig = rigOf()
})
afterAll(() => rig.close())

/** A host on whose clock each look takes longer than a slice. */
const slowHost = () => {
  let nowMs = 0
  return localHost({
    ...realClock,
    monotonicMs: () => {
      nowMs += 100
      return nowMs
    },
  })
}
const started = (host: ReturnType<typeof localHost>, signal?: AbortSignal) =>
  host.start(
    {
      ...{ sessionId: 'a', command: bash, args: ['-c', 'read -r'], cwd: rig.home },
      environment: rig.env,
      size: { cols: 80, rows: 24 },
    },
    { output: () => {}, gone: () => {} },
    signal,
  )

it('of three that start at once, the one that is called off is not started', async () => {
  const host = slowHost()
  const abort = new AbortController()
  const starts = [started(host), started(host, abort.signal), started(host)]
  abort.abort()
  const all = await Promise.all(starts)
  expect(all.map(({ _tag }) => _tag)).toEqual(['started', 'not-started', 'started'])
  expect(all[1]).toMatchObject({ failure: { detail: 'called off' } })
  for (const one of all) if (one._tag === 'started') await one.process.end()
  host.close()
})

it('those that wait when the host is closed are not started', async () => {
  const host = slowHost()
  const starts = [started(host), started(host), started(host)]
  const first = await starts[0]
  host.close()
  const rest = await Promise.all(starts.slice(1))
  expect(rest.filter(({ _tag }) => _tag === 'started').length).toBeLessThan(2)
  for (const one of [first, ...rest]) if (one?._tag === 'started') await one.process.end()
  expect(await started(host)).toMatchObject({ _tag: 'not-started' })
  expect(processesNaming(rig.home)).toEqual([])
})
