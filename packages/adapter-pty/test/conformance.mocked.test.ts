/** The driver of local shells owes what every driver owes. */
import type * as NodePty from '@lydell/node-pty'
import { driverCases } from '@session-recovery/testkit'
import { expect, it, vi } from 'vitest'
import { conformanceRig, typedByProcess } from './conformance-rig.js'

// What is typed is counted at the terminal itself, whoever types it.
vi.mock('@lydell/node-pty', async (original) => {
  const real = await original<typeof NodePty>()
  const spawn: typeof real.spawn = (...args) => {
    const pty = real.spawn(...args)
    const write = pty.write.bind(pty)
    typedByProcess.set(pty.pid, 0)
    pty.write = (text) => {
      const bytes = Buffer.byteLength(text)
      typedByProcess.set(pty.pid, (typedByProcess.get(pty.pid) ?? 0) + bytes)
      write(text)
    }
    return pty
  }
  return { ...real, spawn }
})

const cases = await driverCases({ name: 'pty', make: conformanceRig, patienceMs: 20_000 })
const applicable = cases.filter(({ skipped }) => skipped === undefined)

it('few cases are left out, each for a reason', () => {
  expect(cases.length - applicable.length).toBeLessThanOrEqual(6)
})

it.each(applicable)('$name', ({ run }) => run(), 60_000)
