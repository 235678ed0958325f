/** A session whose shell was killed goes on as another, under an engine: two identities, one owner. */
import { type FactOf, factsOf, policyFrom } from '@session-recovery/core'
import { createEngine, memoryStore } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, expect, it } from 'vitest'
import { eventually, processesNaming, type Rig, rigOf } from './rig.js'

let rig: Rig
afterEach(() => rig.close())

const policyOf = (input: object) => {
  const policy = policyFrom(input)
  if (E.isLeft(policy)) throw new Error(policy.left.message)
  return policy.right
}

it('is replaced by a session with its own record, which can fail and come back in its turn', async () => {
  rig = rigOf()
  const always = { when: {}, priority: 'medium', estimatedTimeMs: 1 } as const
  const { driver } = rig
  const policy = policyOf({
    planRules: [{ ...always, name: 'all', strategies: ['replicate', 'fallback'] }],
  })
  const engine = createEngine({ policy, driver, store: memoryStore() })
  const recoveries: FactOf<'incident-recovered'>[] = []
  engine.subscribe((notice) => {
    if (notice._tag !== 'decided') return
    for (const fact of factsOf(notice.entry)) {
      if (fact._tag === 'incident-recovered') recoveries.push(fact)
    }
  })
  await engine.start()
  const former = await rig.open('a')
  const sessionOptions = { command: 'bash', cwd: rig.home, env: rig.env }
  await engine.register('a', { sessionOptions, attended: false })
  await former.exec('cd /usr; export MINE=1')
  await eventually('the capture of that', async () => {
    const snapshot = await engine.snapshot('a')
    return snapshot?.environment.MINE === '1' || undefined
  })
  for (const n of [1, 2]) {
    const [{ sessionId } = { sessionId: '' }] = engine.sessions()
    const before = driver.session(sessionId)
    const identity = before?.identity()
    process.kill(identity?.pid ?? 0, 'SIGKILL')
    const owner = await eventually('the one owner', () => {
      const ids = engine.sessions().map((status) => status.sessionId)
      return ids.length === 1 && ids[0] !== sessionId ? ids[0] : undefined
    })
    expect(engine.status(owner)?.record.control.replaces).toEqual({ sessionId, incarnation: 1 })
    const { detail } = recoveries[n - 1]?.receipt.items.process ?? {}
    const replica = driver.session(owner)
    expect(detail).toContain(`process ${replica?.pid()}`)
    expect(detail).toContain(`takes the place of session ${sessionId}; process ${identity?.pid}`)
    expect(await replica?.exec('[ $PWD$MINE = /usr1 ]')).toEqual({ _tag: 'finished', exitCode: 0 })
    // The former one is fenced: it has no process, takes nothing, and is not found any more.
    expect(before?.write('echo a second owner\r')).toBe(false)
    expect(before?.pid()).toBeUndefined()
    await eventually('it is let go of', () => driver.session(sessionId) === undefined || undefined)
    expect(processesNaming(rig.home)).toEqual([String(replica?.pid())])
  }
  await engine.destroy()
})
