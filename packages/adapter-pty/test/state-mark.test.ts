/** When bash tells what it holds: not at its first prompt, and then only when it differs. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bashIntegration } from '@session-recovery/shell'
import { expect, it } from 'vitest'
import { localHost } from '../src/local-host.js'
import { bash, eventually, realClock } from './rig.js'

it('tells its state behind the first command, and again only once it differs', async () => {
  const home = mkdtempSync(join(tmpdir(), 'state-mark-'))
  const host = localHost(realClock)
  let raw = ''
  const nonce = 'ab'.repeat(16)
  const environment = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    TERM: 'dumb',
    LANG: 'C.UTF-8',
  }
  const started = await host.start(
    {
      sessionId: 'a',
      command: bash,
      args: [],
      cwd: home,
      environment,
      size: { cols: 80, rows: 24 },
      integration: bashIntegration.integrate({ nonce, kept: [], environment, historyLines: [] }),
    },
    {
      output: (text) => {
        raw += text
      },
      gone: () => {},
    },
  )
  if (started._tag !== 'started') throw new Error(started.failure.detail)
  const told = (letter: string) => raw.split(`\x1b]6973;${nonce};${letter};`).length - 1
  const prompt = (nth: number) =>
    eventually(`prompt ${nth}`, () => (told('A') >= nth ? true : undefined))
  try {
    await prompt(1)
    expect(told('V')).toBe(0)
    const lines = ['true', 'true', '', 'false', 'x=1', 'true', 'f() { :; }', 'shopt -s dotglob']
    const counts = [1, 1, 1, 1, 2, 2, 3, 4]
    for (const [i, line] of lines.entries()) {
      started.process.write(`${line}\r`)
      await prompt(i + 2)
      expect([line, told('V')]).toEqual([line, counts[i]])
    }
  } finally {
    await started.process.end()
    host.close()
    rmSync(home, { recursive: true, force: true })
  }
})
