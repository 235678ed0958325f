/** The class over its own store: what rots on the disk is found on the class's time, told, and mended. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SessionRecovery } from '@session-recovery/adapter-events'
import { surveyStore } from '@session-recovery/adapter-fs'
import { quiet, VirtualClock } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import { expect, onTestFinished, test, vi } from 'vitest'

const rot = (directory: string, text: string) => {
  const log = join(directory, 'log')
  for (const name of readdirSync(log)) {
    const bytes = readFileSync(join(log, name))
    const at = bytes.indexOf(text)
    if (at < 0) continue
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(join(log, name), bytes)
  }
}

test('a record that rotted is written anew before a start would need it', {
  timeout: 60_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'session-recovery-scrub-'))
  const time = new VirtualClock()
  const logger = vi.fn()
  const { clock } = time.fork()
  const recovery = new SessionRecovery({ persistencePath: directory }, { clock, logger })
  onTestFinished(async () => {
    await recovery.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  await recovery.start()
  await recovery.registerSession('a', { command: 'bash' }, {})
  rot(directory, '"state":"registered"')
  const rotten = async () => {
    const survey = await surveyStore({ directory, scrub: true })()
    if (E.isLeft(survey)) throw new Error(survey.left.message)
    return survey.right.findings.filter(({ severity }) => severity === 'problem')
  }
  expect(await rotten()).not.toEqual([])
  const isTold = () => logger.mock.calls.some(([, said]) => String(said).startsWith('set aside'))
  while (!isTold()) {
    await time.advance(1_000)
    await quiet()
  }
  await vi.waitFor(async () => expect(await rotten()).toEqual([]), { timeout: 30_000 })
})
