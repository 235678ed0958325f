/** Secrets a shell holds leave no trace in what is kept, come back when known, and are named when not. */
import {
  type Receipt,
  type RecoverySnapshot,
  redact,
  referencesIn,
  withSecrets,
} from '@session-recovery/core'
import { afterEach, expect, it } from 'vitest'
import { died, type Rig, rigOf } from './rig.js'

let rig: Rig
afterEach(() => rig.close())

const secret = 'hunter2-in-the-shell'
const script =
  `api_token=${secret}; typeset -A conf=([password]=${secret} [user]=me); ` +
  `login() { echo me:${secret}; }; alias l='login ${secret}'; other() { :; }`

const kept = async () => {
  rig = rigOf()
  const session = await rig.open('a')
  await session.exec(script)
  const whole = await rig.snapshot('a')
  expect(JSON.stringify(whole)).toContain(secret)
  const { snapshot, secrets } = redact(whole, [])
  expect(JSON.stringify(snapshot)).not.toContain(secret)
  process.kill(session.pid() ?? 0, 'SIGKILL')
  await died(rig, 'a')
  return { snapshot, secrets }
}

const receiptOf = async (
  snapshot: RecoverySnapshot,
  lostSecrets: readonly string[],
): Promise<Receipt> => {
  await rig.run('a', 'restore', { snapshot, lostSecrets })
  const verdict = await rig.verify('a', 'restore')
  if (verdict._tag !== 'alive') throw new Error(verdict.detail)
  return verdict.receipt
}

it('come back where they are known, and no text that lacks one does', async () => {
  const { snapshot, secrets } = await kept()
  const { items } = await receiptOf(withSecrets(snapshot, secrets), [])
  expect(items.shellVariables.status).toBe('restored')
  expect(items.functions).toEqual({
    status: 'lost',
    detail: '1 function compared equal; 1 whose secret nobody has: login',
  })
  expect(items.aliases.detail).toContain('1 whose secret nobody has: l')
  const { shell } = await rig.snapshot('a')
  expect(shell?.variables).toMatchObject({
    api_token: { value: secret },
    conf: { values: { password: secret, user: 'me' } },
  })
  expect(Object.keys(shell?.functions ?? {})).toEqual(['other'])
  expect(JSON.stringify(shell)).not.toContain('[secret]')
})

it('are named where nobody knows them, and nothing stands in their place', async () => {
  const { snapshot } = await kept()
  const { items } = await receiptOf(withSecrets(snapshot, new Map()), referencesIn(snapshot))
  expect(items.shellVariables.status).toBe('lost')
  expect(items.shellVariables.detail).toContain('2 whose secret nobody has: api_token, conf')
  const { shell } = await rig.snapshot('a')
  expect(shell?.variables).not.toHaveProperty('api_token')
  expect(shell?.variables).not.toHaveProperty('conf')
})
