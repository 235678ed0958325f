/** What was typed and not seen to be taken is lost with its process: how much it was is said, never what. */
import type { Receipt, Verdict } from '@session-recovery/core'
import { afterEach, expect, it } from 'vitest'
import { died, eventually, type Rig, rigOf } from './rig.js'

let rig: Rig
afterEach(() => rig.close())

const jobsIn = (verdict: Verdict): Receipt['items']['jobs'] => {
  if (verdict._tag !== 'alive') throw new Error(`unproved: ${verdict.detail}`)
  return verdict.receipt.items.jobs
}

const jobsAfter = async (strategy: 'restart' | 'restore'): Promise<Receipt['items']['jobs']> => {
  const snapshot = await rig.snapshot('a')
  process.kill(rig.driver.session('a')?.pid() ?? 0, 'SIGKILL')
  await died(rig, 'a')
  expect(await rig.run('a', strategy, { snapshot })).toMatchObject({ _tag: 'done' })
  return jobsIn(await rig.verify('a', strategy))
}
const typed = (characters: number): string =>
  `typed and not seen to be taken, lost or read by what ran: ${characters} characters`

it('names what was typed ahead of a command that runs', async () => {
  rig = rigOf()
  const session = await rig.open('a')
  session.write('sleep 300\recho hunter2\rls')
  await eventually(
    'the command',
    async () => {
      const { interactiveState } = (await rig.capture('a')).update
      return interactiveState?.pendingCommands.includes('sleep 300') || undefined
    },
    20_000,
  )
  const jobs = await jobsAfter('restart')
  expect(jobs.status).toBe('lost')
  expect(jobs.detail).toContain(typed('echo hunter2\rls'.length))
  expect(jobs.detail).not.toContain('hunter2')
  // It was told once: of the new shell there is nothing to tell.
  rig.observed.length = 0
  expect((await jobsAfter('restart')).detail).not.toContain('typed')
})

it('names what stood half typed at the prompt', async () => {
  rig = rigOf()
  const session = await rig.open('a')
  session.write('echo half')
  await eventually('its echo', () => session.output().includes('echo half') || undefined, 20_000)
  expect((await jobsAfter('restore')).detail).toContain(typed('echo half'.length))
})

it('names nothing where all was taken', async () => {
  rig = rigOf()
  const session = await rig.open('a')
  session.write('echo taken\r')
  await session.exec('true')
  expect((await jobsAfter('restart')).detail).toBe('jobs ended with the old process')
})
