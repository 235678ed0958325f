/**
 * An app and a host that say what nobody should: registrations, updates, failures and answers of every
 * wrong form. Each is refused, typed; what was kept stays, and the next sound word is taken.
 */
import { SessionRecovery, SessionRecoveryError } from '@session-recovery/adapter-events'
import { type Chance, chance as chanceOf, quiet, VirtualClock } from '@session-recovery/testkit'
import { hostileValue, type Plain, spoilt } from './hostile-value.js'

// ------------------------------------------------------------------------------------------ model

const change: Plain = {
  sessionState: { a: [1, { b: 2 }] },
  environment: { LANG: 'C' },
  workingDirectory: '/srv',
  commandHistory: ['ls'],
  outputBuffer: ['x'],
  errorContext: { lastError: 'e', errorTimestamp: new Date(0), errorCount: 1 },
  interactiveState: { isInteractive: true, pendingCommands: ['ls'], timeoutCount: 0 },
}
const options: Plain = {
  command: 'bash',
  cwd: '/srv',
  env: { LANG: 'C' },
  sshOptions: { host: 'h', password: 'p' },
}
const evidence: Plain = {
  alive: true,
  detail: 'looked',
  items: { cwd: { status: 'restored', detail: '' } },
  restoredBytes: 1,
}

// ------------------------------------------------------------------------------------------ trial

/** What broke, if anything did. */
export const wordTrial = async (seed: number): Promise<string | undefined> => {
  const chance = chanceOf(seed)
  const time = new VirtualClock()
  const { clock } = time.fork()
  const recovery = new SessionRecovery(
    { persistenceEnabled: false, snapshotInterval: 0, recoveryDelay: 1, maxRecoveryAttempts: 1 },
    { clock },
  )
  const problems: string[] = []
  recovery.on('snapshot-request', ({ callback }) => {
    callback(word(change, chance) as never)
  })
  recovery.on('session-verify-request', () => word(evidence, chance) as never)
  recovery.on('session-restart-request', () => hostileValue(chance) as never)
  const say = async (what: string, words: () => unknown): Promise<void> => {
    const said = (async () => words())().catch((error: unknown) => {
      if (error instanceof SessionRecoveryError && error.message !== '') return
      problems.push(`${what}: ${error instanceof Error ? error.stack : typeof error}`)
    })
    for (let i = 0; i < 20; i++) {
      const isOver = await Promise.race([said.then(() => true), quiet().then(() => false)])
      if (isOver) return
      await time.advance(10_000)
    }
    problems.push(`${what}: no answer`)
  }
  await say('start', () => recovery.start())
  await say('a sound registration', () => recovery.registerSession('sound', { a: 1 }, options))
  await say('registerSession', () =>
    recovery.registerSession(
      (chance.percent(20) ? hostileValue(chance) : 's') as never,
      hostileValue(chance),
      word(options, chance),
    ),
  )
  for (const id of ['s', 'sound']) {
    await say('update', () => recovery.updateSessionSnapshot(id, word(change, chance) as never))
    await say('interactive', () =>
      recovery.updateInteractiveState(id, word(change.interactiveState as Plain, chance) as never),
    )
    await say('recover', () =>
      recovery.recoverSession(id, (chance.percent(50) ? hostileValue(chance) : 'gone') as never),
    )
  }
  await say('a sound update', () =>
    recovery.updateSessionSnapshot('sound', { workingDirectory: '/still' }),
  )
  if (recovery.getAllSnapshots().sound?.workingDirectory !== '/still') {
    problems.push('a sound update was not taken')
  }
  await say('destroy', () => recovery.destroy())
  if ('polluted' in {}) problems.push('what all objects inherit was changed')
  return problems.length === 0 ? undefined : `seed ${seed}: ${problems.join('; ').slice(0, 600)}`
}

const word = (sound: Plain, chance: Chance): unknown =>
  chance.percent(10) ? hostileValue(chance) : spoilt(sound, chance)
