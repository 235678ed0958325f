/** Lies about what was typed, run again, or changed. */
import type { Capture } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { after, done, isRenewing, type Lie, running } from './lie.js'

/** Has each capture say another history. */
const anotherHistory =
  (more: Partial<Capture>): Lie['tell'] =>
  (rig) => {
    let times = 0
    return {
      ...rig.driver,
      capture: (request) => async () => {
        const told = await rig.driver.capture(request)()
        if (E.isLeft(told)) return told
        const update = { ...told.right.update, commandHistory: [`${++times}`] }
        return E.right({ ...told.right, update, ...more })
      },
    }
  }

export const aboutCare: readonly Lie[] = [
  {
    lie: 'does what it does not declare',
    caughtBy: 'a strategy that is not declared is unsupported, and touches nothing',
    because: /migrate is not declared, and was answered done/,
    tell: running((_rig, { strategy }) =>
      strategy === 'migrate' ? Promise.resolve(done) : undefined,
    ),
  },
  {
    lie: 'says unsupported, and types all the same',
    caughtBy: 'a strategy that is not declared is unsupported, and touches nothing',
    because: /which is not declared, typed 1 bytes/,
    tell: after(({ world }, { strategy, sessionId }) => {
      if (strategy === 'migrate') world.type(sessionId, '\r')
    }),
  },
  {
    lie: 'types where somebody sits',
    caughtBy: 'an attended session at its prompt is typed at by nothing',
    because: /of an attended session typed 1 bytes/,
    tell: after(({ world }, { sessionId, strategy }) => {
      if (strategy === 'prompt-reset') world.type(sessionId, '\r')
    }),
  },
  {
    lie: 'types into the program of somebody who sits there',
    caughtBy: 'an attended session with a waiting program is typed at by nothing',
    because: /attended session typed 1 bytes/,
    tell: (rig) => ({
      ...rig.driver,
      verify: (request) => {
        if (rig.world.sessions.get(request.sessionId)?.process.command !== undefined) {
          rig.world.type(request.sessionId, '\r')
        }
        return rig.driver.verify(request)
      },
    }),
  },
  {
    lie: 'runs a command again',
    caughtBy: 'a command whose outcome is not known is run again by no strategy',
    because: /restart ran a command again, its shell/,
    tell: after(({ world }, request) => {
      const runs = world.runs.get(request.sessionId) ?? 0
      if (isRenewing(request)) world.runs.set(request.sessionId, runs + 1)
    }),
  },
  {
    lie: 'retries more often than it may',
    caughtBy: 'a command declared idempotent is run again as often as the policy says, and no more',
    because: /run 3 times in all/,
    tell: (rig) => ({
      ...rig.driver,
      run: (request) => async () => {
        await rig.driver.run(request)()
        return rig.driver.run(request)()
      },
    }),
  },
  {
    lie: 'replaces the process of a session that is well',
    caughtBy: 'a session that is well keeps its process under every strategy for the living',
    because: /took the process of a session that is well/,
    tell: after(({ world }, { strategy, sessionId }) => {
      const session = world.sessions.get(sessionId)
      if (strategy !== 'session-refresh' || session === undefined) return
      session.process.alive = false
      session.process = world.start(sessionId, [])
    }),
  },
  {
    lie: 'leaves the process of the first run beside that of the second',
    caughtBy: 'restart under the same token as before leaves one process, and it is proved',
    because: /2 processes where 1 was/,
    tell: after(({ world }, { repeated, sessionId }) => {
      if (repeated) world.start(sessionId, [])
    }),
  },
  {
    lie: 'leaves what it replicated alive',
    caughtBy: 'replicate gives one session in the place of another, never two',
    because: /lives on beside its replica/,
    tell: after(({ world }, { strategy, sessionId }) => {
      const session = world.sessions.get(sessionId)
      if (strategy === 'replicate' && session !== undefined) session.process.alive = true
    }),
  },
  {
    lie: 'captures by typing',
    caughtBy: 'a capture changes nothing, and says the same twice',
    because: /a capture typed 12 bytes/,
    tell: (rig) => ({
      ...rig.driver,
      capture: (request) => {
        rig.world.type(request.sessionId, 'set\r')
        return rig.driver.capture(request)
      },
    }),
  },
  {
    lie: 'captures something else each time',
    caughtBy: 'a capture changes nothing, and says the same twice',
    because: /captures changed the session/,
    tell: anotherHistory({}),
  },
  {
    lie: 'captures by taking the program from the foreground',
    caughtBy: 'a capture lets a program that waits for input be',
    because: /a capture of a waiting program/,
    tell: (rig) => ({
      ...rig.driver,
      capture: (request) => {
        const process = rig.world.sessions.get(request.sessionId)?.process
        if (process?.command !== undefined) rig.world.type(request.sessionId, '\x1a')
        return rig.driver.capture(request)
      },
    }),
  },
  {
    lie: 'has the same object stand for another history',
    caughtBy: 'what stands for output and history is another one once either is',
    because: /the same stands for .*"1".* and for .*"2"/,
    tell: anotherHistory({ bulkIdentity: {} }),
  },
]
