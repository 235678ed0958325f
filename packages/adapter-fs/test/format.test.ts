/**
 * What earlier formats stored is read for ever: a store of each, as it lay on a disk, opens whole.
 */
import { chmodSync, cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { RecoverySnapshot } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { fileStore } from '../src/index.js'
import { done, freshDirectory } from './sample.js'

const fixtures = new URL('fixture/', import.meta.url)

const copyOf = (name: string): string => {
  const directory = join(freshDirectory(), 'store')
  cpSync(new URL(name, fixtures), directory, { recursive: true })
  // Git keeps no modes but the one for programs.
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600)
  }
  chmodSync(directory, 0o700)
  return directory
}

test('there is a fixture of every format', () => {
  expect(readdirSync(fixtures)).toEqual(['format-1'])
})

test('format 1, before sessions declared idempotent commands and receipts told of aliases', async () => {
  const store = fileStore({ directory: copyOf('format-1') })
  try {
    const { sessions, quarantined } = await done(store.open)
    expect(quarantined).toEqual([])
    expect(sessions.map(({ record }) => [record.control.sessionId, record.state])).toEqual([
      ['kept', 'snapshotting.idle'],
      ['gone', 'exhausted'],
    ])
    expect(sessions[0]?.record.control.traits.idempotentCommands).toEqual([])
    const { body } = await done(store.readSnapshot('kept'))
    const snapshot = RecoverySnapshot.decode(body)
    expect(E.isRight(snapshot) && snapshot.right.environment.WORK).toBe('done')
    const proved = (await done(store.readJournal('kept'))).at(-1)?.event
    expect(proved?.type === 'verified' && proved.verdict._tag === 'alive').toBe(true)
    const archive = sessions[1]?.record.control.lastEnd?.archive ?? ''
    expect((await done(store.readArchive(archive))).sessionId).toBe('gone')
  } finally {
    await store.close()
  }
})
