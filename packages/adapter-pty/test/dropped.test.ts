/** What was let go to stay in bounds is counted, in what is kept and in what a receipt says of it. */
import type { Receipt, RecoverySnapshot, Verdict } from '@session-recovery/core'
import { afterEach, describe, expect, it } from 'vitest'
import { bash, died, type Rig, rigOf } from './rig.js'

const rigs: Rig[] = []
const rigWith = (options: Parameters<typeof rigOf>[0] = {}): Rig => {
  const rig = rigOf(options)
  rigs.push(rig)
  return rig
}
afterEach(async () => {
  for (const rig of rigs.splice(0)) await rig.close()
})

const receiptIn = (verdict: Verdict): Receipt => {
  if (verdict._tag !== 'alive') throw new Error(`unproved: ${verdict.detail}`)
  return verdict.receipt
}
const kept = async (rig: Rig): Promise<RecoverySnapshot> => {
  const { droppedOutputBytes } = (await rig.capture('a')).update
  return {
    ...(await rig.snapshot('a')),
    sessionOptions: { command: bash, environment: rig.env, workingDirectory: rig.home },
    ...(droppedOutputBytes === undefined ? {} : { droppedOutputBytes }),
  }
}

// About 60,000 bytes, of which the newest are to be seen.
const noise = 'for ((i = 0; i < 2000; i++)); do echo "line $i of a long story"; done; echo the end'

describe('output that is longer than what is kept', () => {
  it('is counted in captures, and of one that dropped nothing nothing is said', async () => {
    const rig = rigWith({ outputLimitBytes: 4_096 })
    const session = await rig.open('a')
    expect((await rig.capture('a')).update).not.toHaveProperty('droppedOutputBytes')
    await session.exec(noise)
    const { outputBuffer = [], droppedOutputBytes } = (await rig.capture('a')).update
    expect(droppedOutputBytes).toBe(session.droppedOutputBytes())
    expect(droppedOutputBytes).toBeGreaterThan(40_000)
    expect(Buffer.byteLength(outputBuffer.join(''))).toBeLessThanOrEqual(4_096)
  })

  it('is named in the receipt, also by a driver that knows the snapshot alone', async () => {
    const rig = rigWith({ outputLimitBytes: 4_096 })
    const session = await rig.open('a')
    await session.exec(noise)
    const snapshot = await kept(rig)
    process.kill(session.pid() ?? 0, 'SIGKILL')
    await died(rig, 'a')
    const next = rigWith()
    for (const one of [rig, next]) {
      expect(await one.run('a', 'restore', { snapshot })).toMatchObject({ _tag: 'done' })
      const { screen } = receiptIn(await one.verify('a', 'restore')).items
      expect(screen.status).toBe('restored')
      const bytes = /(\d+) bytes of older output were dropped before/.exec(screen.detail)?.[1]
      expect(Number(bytes)).toBeGreaterThanOrEqual(snapshot.droppedOutputBytes ?? 0)
      expect(await one.driver.session('a')?.screen()).toContain('the end')
      const { update } = await one.capture('a')
      expect(update.droppedOutputBytes).toBeGreaterThanOrEqual(snapshot.droppedOutputBytes ?? 0)
    }
  })

  it('goes with a replica', async () => {
    const rig = rigWith({ outputLimitBytes: 4_096 })
    const session = await rig.open('a')
    await session.exec(noise)
    const before = session.droppedOutputBytes()
    const snapshot = await rig.snapshot('a')
    const request = { snapshot, replicaId: 'b' }
    expect(await rig.run('a', 'replicate', request)).toMatchObject({ _tag: 'done' })
    const { screen } = receiptIn(await rig.verify('a', 'replicate')).items
    expect(screen.detail).toContain('bytes of older output were dropped before')
    expect(rig.driver.session('b')?.droppedOutputBytes()).toBeGreaterThanOrEqual(before)
    expect(await rig.driver.session('b')?.screen()).toContain('the end')
  })
})

it('a screen of which nothing was kept is not called restored', async () => {
  const rig = rigWith()
  const session = await rig.open('a')
  const snapshot = { ...(await kept(rig)), outputBuffer: [] }
  process.kill(session.pid() ?? 0, 'SIGKILL')
  await died(rig, 'a')
  const next = rigWith()
  expect(await next.run('a', 'restore', { snapshot })).toMatchObject({ _tag: 'done' })
  expect(receiptIn(await next.verify('a', 'restore')).items.screen).toEqual({
    status: 'unknown',
    detail: 'nothing was kept of what the screen showed',
  })
})
