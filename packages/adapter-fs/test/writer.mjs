/**
 * A process that owns a store and writes until it is killed. What is acknowledged it prints, one line
 * each: the kind, the session and the revision or generation.
 *
 * Arguments: the directory, and `idle` (commit once, then wait), `leave` (commit once, then end without
 * closing) or the number to start from (write for ever).
 */
import { writeSync } from 'node:fs'
import { fileStore } from '../dist/index.js'

const [directory, what] = process.argv.slice(2)
const traits = {
  kind: 'local',
  attended: false,
  shell: true,
  rerunnable: false,
  failureExitCodes: [],
  idempotentCommands: [],
}

const must = async (call) => {
  const result = await call()
  if (result._tag === 'Right') return result.right
  throw new Error(`${result.left._tag}: ${result.left.message}`)
}

let seq = 0

const commitOf = (sessionId, rev) => {
  const control = { sessionId, incarnation: 1, registeredAtMs: 1, traits, used: 0, incidents: 0 }
  const record = { v: 1, rev, state: 'registered', control }
  seq += 1
  const entry = {
    v: 1,
    seq,
    sessionId,
    incarnation: 1,
    rev,
    stepVersion: 1,
    policyDigest: 'test',
    wallMs: rev,
    event: { type: 'registered', atMs: rev, traits },
    to: 'registered',
    effects: [],
    recordDigest: 'test',
  }
  return { record, expectedRev: rev - 1, entry }
}

const snapshotOf = (sessionId, generation) => ({
  sessionId,
  incarnation: 1,
  view: { generation, capturedAtMs: generation },
  body: { generation, output: 'x'.repeat(200 + ((generation * 7919) % 30_000)) },
})

// Synchronous, so that what was printed is out of this process before it can be killed.
const say = (text) => writeSync(1, `${text}\n`)

const store = fileStore({ directory })
const loaded = await must(store.open)
seq = loaded.latestSeq

if (what === 'idle' || what === 'leave') {
  await must(store.commit(commitOf('idle', 1)))
  say('open')
  if (what === 'idle') setInterval(() => undefined, 1_000)
} else {
  const revs = new Map(
    loaded.sessions.map(({ record, view }) => [
      record.control.sessionId,
      { rev: record.rev, generation: view?.generation ?? 0 },
    ]),
  )
  const live = async (sessionId) => {
    let { rev, generation } = revs.get(sessionId) ?? { rev: 0, generation: 0 }
    for (;;) {
      rev += 1
      await must(store.commit(commitOf(sessionId, rev)))
      say(`commit ${sessionId} ${rev}`)
      if (rev % 3 === 0) {
        generation += 1
        await must(store.saveSnapshot(snapshotOf(sessionId, generation)))
        say(`snapshot ${sessionId} ${generation}`)
      }
    }
  }
  const compact = async () => {
    for (let n = 0; ; n++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      await must(store.checkpoint(n, Number.MAX_SAFE_INTEGER))
    }
  }
  await Promise.all([...Array.from({ length: 8 }, (_, i) => live(`s${i}`)), compact()])
}
