/** A replica takes the place of a session: registered with its own record, and the one owner from then on. */
import { expect, test } from 'vitest'
import {
  answered,
  dead,
  diskFull,
  done,
  policyOf,
  type Script,
  seen,
  started,
  type World,
  world,
} from './scripted-world.js'

const [general] = policyOf().planRules.filter(({ name }) => name === 'general-local')
if (general === undefined) throw new Error('there is no rule for the general case')
const planRules = [
  { ...general, name: 'replicate', when: {}, strategies: ['replicate', 'fallback'] },
] as never
const policy = { planRules, maxRecoveryAttempts: 1 }
const supports = { replicas: true } as const
const registration = {
  attended: false,
  idempotentCommands: ['true'],
  sessionState: { mine: 1 },
  sessionOptions: { command: 'bash', cwd: '/srv', env: { LANG: 'C', A_TOKEN: 'secret-of-mine' } },
}
const script: Partial<Script> = { capture: () => seen('at-prompt', { commandHistory: ['ls'] }) }

const ids = ({ engine }: World) => engine.sessions().map(({ sessionId }) => sessionId)
const replicaIn = (made: World): string => made.runs()[0]?.request.replicaId ?? ''

test('is registered with what the other was, and the other is let go of', async () => {
  const made = await started({ policy, supports, script }, registration)
  await made.engine.update('s', { commandHistory: ['ls'] })
  const ended = await answered(made, made.engine.recover('s', 'gone'))
  expect(ended).toMatchObject({ _tag: 'recovered', strategy: 'replicate' })
  await made.time.advance(1)
  const replica = replicaIn(made)
  expect(replica).toContain('s-replica-')
  expect(ids(made)).toEqual([replica])
  expect(made.engine.status(replica)?.record.control).toMatchObject({
    traits: { idempotentCommands: ['true'], attended: false },
    replaces: { sessionId: 's', incarnation: 1 },
  })
  expect(await made.engine.snapshot(replica)).toMatchObject({
    sessionId: replica,
    sessionState: { mine: 1 },
    workingDirectory: '/srv',
    commandHistory: ['ls'],
  })
  expect(made.said()).toContain('detach')
  // It is a session like any other: it can fail, and gets its secrets back.
  await answered(made, made.engine.recover(replica, 'gone'))
  expect(made.runs()[1]?.request).toMatchObject({
    sessionId: replica,
    snapshot: { environment: { A_TOKEN: 'secret-of-mine' } },
  })
})

// From the proof on: the registration of the replica, its snapshot, the verdict, the letting go.
test.each([
  { nth: 1, isTaken: false },
  { nth: 2, isTaken: true },
  { nth: 3, isTaken: true },
  { nth: 4, isTaken: true },
])('is the one owner, or none, after a crash at write $nth of the taking over', async (at) => {
  const first = await started({ policy, supports, script }, registration)
  let writes = 0
  first.control.holds = (what) => {
    const isWrite = what === 'commit' || what === 'saveSnapshot'
    return isWrite && first.said().includes('verify replicate') && ++writes >= at.nth
  }
  void first.engine.recover('s', 'gone')
  await first.time.advance(1)
  first.crash()
  const replica = replicaIn(first)
  expect(first.medium.sessions.has(replica)).toBe(at.isTaken)
  const second = world({ policy, supports, script: { verify: () => dead }, after: first })
  await answered(second, second.engine.start())
  await second.time.advance(1)
  expect(ids(second)).toEqual([at.isTaken ? replica : 's'])
  const lookedAt = new Set(
    second.asked.filter(({ verb }) => verb !== 'detach').map((one) => one.sessionId),
  )
  expect([...lookedAt]).toEqual([at.isTaken ? replica : 's'])
})

test('that cannot be registered is no success, and the session stays', async () => {
  const halting = { ...policy, onStoreFailure: 'halt' as const }
  const made = await started({ policy: halting, supports, script }, registration)
  let refusals = 0
  made.control.refuse = (what) =>
    what === 'commit' && made.said().includes('verify replicate') && refusals++ === 0
      ? diskFull
      : undefined
  const ended = await answered(made, made.engine.recover('s', 'gone'))
  expect(ended).toMatchObject({ _tag: 'exhausted' })
  expect(ids(made)).toEqual(['s'])
})

test('of a driver that leaves it to the app is not registered by the engine', async () => {
  const made = await started({ policy, script: { run: () => done } }, registration)
  const ended = await answered(made, made.engine.recover('s', 'gone'))
  expect(ended).toMatchObject({ _tag: 'recovered', strategy: 'replicate' })
  expect(ids(made)).toEqual(['s'])
})
