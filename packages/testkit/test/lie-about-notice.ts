/** Lies about what a driver noticed, and of which session. */
import type { Observation, RunRequest } from '@session-recovery/core'
import { type Lie, observing } from './lie.js'

export const aboutNotices: readonly Lie[] = [
  {
    lie: 'tells an end twice',
    caughtBy: 'killed: noticed once, of the right session, and as it was',
    because: /told 2 times/,
    tell: observing((observation, tell) => {
      tell(observation)
      tell(observation)
    }),
  },
  {
    lie: 'keeps an end to itself',
    caughtBy: 'exit: noticed once, of the right session, and as it was',
    because: /not within .* the end of a/,
    tell: observing(() => {}),
  },
  {
    lie: 'tells another exit code',
    caughtBy: 'exit: noticed once, of the right session, and as it was',
    because: /"exitCode":0/,
    tell: observing((observation, tell) =>
      tell(observation._tag === 'exited' ? { ...observation, exit: { exitCode: 0 } } : observation),
    ),
  },
  {
    lie: 'calls a lost connection an end',
    caughtBy: 'half-open: noticed once, of the right session, and as it was',
    because: /instead of/,
    tell: observing((observation, tell) =>
      tell({ _tag: 'exited', sessionId: observation.sessionId, exit: {} }),
    ),
  },
  {
    lie: 'tells of the wrong session',
    caughtBy: 'killed: noticed once, of the right session, and as it was',
    because: /not within .* the end of a/,
    tell: observing((observation, tell) => tell({ ...observation, sessionId: 'c' })),
  },
  {
    lie: 'goes on telling of what was detached',
    caughtBy: 'a session that is detached is let be, and nothing is told of it',
    because: /told of a detached session/,
    tell: (rig) => ({ ...rig.driver, detach: async () => {} }),
  },
  {
    lie: 'ends what is detached',
    caughtBy: 'a session that is detached is let be, and nothing is told of it',
    because: /detached, and gone/,
    tell: (rig) => ({
      ...rig.driver,
      detach: async (id) => {
        const session = rig.world.sessions.get(id)
        if (session !== undefined) session.process.alive = false
      },
    }),
  },
  {
    lie: 'goes on telling who has left',
    caughtBy: 'a listener that is removed hears nothing more',
    because: /the removed listener was told/,
    tell: (rig) => {
      const listeners: ((observation: Observation) => void)[] = []
      rig.driver.watch((observation) => {
        for (const told of listeners) told(observation)
      })
      return {
        ...rig.driver,
        watch: (listener) => {
          listeners.push(listener)
          return () => {}
        },
      }
    },
  },
  {
    lie: 'gives one session the snapshot of another',
    caughtBy: 'two sessions at once do not mix',
    because: /b has the value of a/,
    tell: (rig) => {
      let first: RunRequest['snapshot']
      return {
        ...rig.driver,
        run: (request) => {
          first ??= request.snapshot
          const snapshot = first === undefined ? {} : { snapshot: first }
          return rig.driver.run({ ...request, ...snapshot })
        },
      }
    },
  },
  {
    lie: 'verifies another session than it was asked about',
    caughtBy: 'the loss of one session says nothing of another',
    because: /a, looked at, is called alive/,
    tell: (rig) => ({
      ...rig.driver,
      verify: (request) => rig.driver.verify({ ...request, sessionId: 'b' }),
    }),
  },
]
