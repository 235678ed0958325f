/** kill -9 of a process that writes: what it said was acknowledged is there, and nothing torn is taken. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Store } from '@session-recovery/core'
import { expect, test } from 'vitest'
import { fileStore } from '../src/index.js'
import { done, freshDirectory } from './sample.js'

const kills = 6
const writer = fileURLToPath(new URL('writer.mjs', import.meta.url))

/** Lets a writer run until it has said something and `delayMs` have passed; returns all it said. */
const killed = async (directory: string, delayMs: number): Promise<readonly string[]> => {
  const child = spawn(process.execPath, [writer, directory, 'write'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said: Buffer[] = []
  let complaint = ''
  child.stdout.on('data', (piece: Buffer) => said.push(piece))
  child.stderr.on('data', (piece: Buffer) => {
    complaint += piece.toString()
  })
  const gone = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), gone])
  await new Promise((resolve) => setTimeout(resolve, delayMs))
  child.kill('SIGKILL')
  await gone
  expect(complaint).toBe('')
  return Buffer.concat(said)
    .toString()
    .split('\n')
    .filter((line) => line !== '')
}

const checkSession = async (store: Store, sessionId: string, acknowledged: number) => {
  const snapshot = await done(store.readSnapshot(sessionId))
  expect(snapshot.view.generation).toBeGreaterThanOrEqual(acknowledged)
  expect(snapshot.body).toMatchObject({ generation: snapshot.view.generation })
  const revs = (await done(store.readJournal(sessionId))).map(({ rev }) => rev)
  expect(revs).toEqual(revs.map((_, i) => (revs[0] ?? 0) + i))
}

test(`${kills} times kill -9: nothing acknowledged is lost, nothing torn is accepted`, async () => {
  const directory = freshDirectory()
  const acknowledged = { commit: new Map<string, number>(), snapshot: new Map<string, number>() }
  let lines = 0
  for (let kill = 0; kill < kills; kill++) {
    for (const line of await killed(directory, (kill * 37) % 90)) {
      const [kind, sessionId = '', number] = line.split(' ')
      if (kind === 'commit' || kind === 'snapshot')
        acknowledged[kind].set(sessionId, Number(number))
      lines += 1
    }
    const store = fileStore({ directory })
    const { sessions, quarantined } = await done(store.open)
    expect(quarantined).toEqual([])
    const revs = new Map(sessions.map(({ record }) => [record.control.sessionId, record.rev]))
    for (const [sessionId, rev] of acknowledged.commit) {
      expect(revs.get(sessionId)).toBeGreaterThanOrEqual(rev)
    }
    for (const [sessionId, generation] of acknowledged.snapshot) {
      await checkSession(store, sessionId, generation)
    }
    expect(readdirSync(join(directory, 'log')).filter((name) => name.endsWith('.tmp'))).toEqual([])
    await store.close()
  }
  expect(acknowledged.snapshot.size).toBeGreaterThan(0)
  console.log(`${kills} kills, ${lines} acknowledgements, none lost`)
}, 180_000)
