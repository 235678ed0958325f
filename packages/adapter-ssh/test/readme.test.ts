/** The README's example over SSH is what it says: it runs as it stands, against a real server. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { stationOf, testWith } from './station.js'

testWith([], "the README's example opens a remote shell", async () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const example = /```js\n((?:(?!```)[\s\S])*sshDriver[\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const station = await stationOf()
  const place = mkdtempSync(join(tmpdir(), 'readme-'))
  try {
    const { host, port, user, clientKeyPath, knownHost } = station.sshd
    writeFileSync(join(place, 'known_hosts'), `${knownHost()}\n`)
    // Bare names resolve from the directory a program is run in; the files stand elsewhere.
    const program = [
      ["'build.example.org'", JSON.stringify(host)],
      ['port: 22', `port: ${port}`],
      ["'ci'", JSON.stringify(user)],
      ["'id_ed25519'", JSON.stringify(clientKeyPath)],
      ["'known_hosts'", JSON.stringify(join(place, 'known_hosts'))],
    ].reduce((text, [from = '', to = '']) => {
      expect(text).toContain(from)
      return text.replace(from, to)
    }, example)
    const cwd = fileURLToPath(new URL('..', import.meta.url))
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      cwd,
      timeout: 60_000,
    })
    expect((await run).stdout).toContain("{ _tag: 'finished', exitCode: 0 }")
  } finally {
    rmSync(place, { recursive: true, force: true })
    await station.sshd.close()
  }
})
