/**
 * A secret that only the memory of an app knew is lost when the app is killed: its next life says so, by
 * the name of the variable, and nothing on the disk ever held it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fileStore } from '@session-recovery/adapter-fs'
import { factsOf, type Receipt, type ReceiptItem } from '@session-recovery/core'
import { createEngine } from '@session-recovery/engine'
import { expect, it } from 'vitest'
import { ptyDriver } from '../src/index.js'
import { realClock } from './rig.js'

const app = fileURLToPath(new URL('secret-app.mjs', import.meta.url))

const killedOnceKept = async (home: string): Promise<void> => {
  const child = spawn(process.execPath, [app, JSON.stringify({ home })])
  let complaint = ''
  child.stderr.on('data', (piece: Buffer) => {
    complaint += piece.toString()
  })
  const closed = once(child, 'close')
  const said = await Promise.race([once(child.stdout, 'data').then(String), closed.then(() => '')])
  child.kill('SIGKILL')
  await closed
  expect(`${said}${complaint}`).toBe('kept\n')
}

const stored = (directory: string): string =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')

it('a secret is lost with the app that knew it, and the receipt says so', async () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'secret-app-')))
  const directory = join(home, 'store')
  const driver = ptyDriver({ clock: realClock })
  const engine = createEngine({ driver, store: fileStore({ directory }) })
  try {
    await killedOnceKept(home)
    const recovered = new Promise<Receipt>((resolve) => {
      engine.subscribe((notice) => {
        if (notice._tag !== 'decided') return
        for (const fact of factsOf(notice.entry)) {
          if (fact._tag === 'incident-recovered') resolve(fact.receipt)
        }
      })
    })
    await engine.start()
    const { env } = (await recovered).items
    expect(env satisfies ReceiptItem).toMatchObject({
      status: 'lost',
      detail: expect.stringContaining('1 whose secret nobody has: API_TOKEN'),
    })
    const session = driver.session('a')
    await session?.exec('echo "plain is $PLAIN, token is <$API_TOKEN>"')
    expect(session?.output()).toContain('plain is kept, token is <>')
    const said = stored(directory)
    expect(said).toContain('API_TOKEN')
    expect(said).not.toContain('hunter2-of-this-life')
  } finally {
    await engine.stop()
    await driver.close()
    rmSync(home, { recursive: true, force: true })
  }
}, 120_000)
