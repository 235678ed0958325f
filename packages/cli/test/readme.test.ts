/**
 * The README's example is what it says: it runs as it stands, and its sessions come back.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** Runs `program` until it has printed `text` (or 20 s have passed), then ends it. */
const printed = (program: string, text: string): Promise<string> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      timeout: 20_000,
    })
    let output = ''
    const hear = (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes(text)) child.kill('SIGTERM')
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.on('close', () => resolve(output))
  })

test("the README's example recovers a killed shell", async () => {
  const readme = await readFile(new URL('../../../README.md', import.meta.url), 'utf8')
  const [, example] = /```js\n(.*?)```/s.exec(readme) ?? []
  expect(example, 'the README has no example').toBeDefined()
  const directory = await mkdtemp(join(tmpdir(), 'readme-'))
  // Bare names resolve from the directory a program is run in; what it stores goes elsewhere.
  const program = (example ?? '').replace(
    "'./sessions'",
    JSON.stringify(join(directory, 'sessions')),
  )
  expect(program).not.toBe(example)
  try {
    const text = "back: { _tag: 'finished', exitCode: 0 }"
    expect(await printed(program, text)).toContain(text)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})
