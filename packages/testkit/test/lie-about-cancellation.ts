/** Lies about what was called off. */
import * as E from 'fp-ts/lib/Either.js'
import { after, done, type Lie, never, verifying } from './lie.js'

export const aboutCancellation: readonly Lie[] = [
  {
    lie: 'does not hear that a run is called off',
    caughtBy: 'slow-cancel: restart that is called off ceases, and its process does not linger',
    because: /not within .* an answer to the run/,
    tell: (rig) => ({
      ...rig.driver,
      run: (request) => rig.driver.run({ ...request, signal: new AbortController().signal }),
    }),
  },
  {
    lie: 'answers that it ceased, and lets the process linger',
    caughtBy: 'slow-cancel: restore that is called off ceases, and its process does not linger',
    because: /not within .* what was being started is gone/,
    tell: after(({ world }, { sessionId, signal }) => {
      if (signal.aborted) world.start(sessionId, [])
    }),
  },
  {
    lie: 'says done of what was called off',
    caughtBy: 'slow-cancel: restart that is called off ceases, and its process does not linger',
    because: /did not fail/,
    tell: (rig) => ({
      ...rig.driver,
      run: (request) => async () => {
        const outcome = await rig.driver.run(request)()
        return request.signal.aborted ? E.right(done) : outcome
      },
    }),
  },
  {
    lie: 'does not hear that a verification is called off',
    caughtBy: 'hang: a verification that is called off ceases, and types nothing afterwards',
    because: /not within .* an answer to the verification/,
    tell: verifying(({ world }, verdict, id) =>
      world.sessions.get(id)?.process.stopped === true ? never() : verdict,
    ),
  },
  {
    lie: 'does not hear that a capture is called off',
    caughtBy: 'hang: a capture that is called off ceases, and types nothing afterwards',
    because: /not within .* an answer to the capture/,
    tell: (rig) => ({ ...rig.driver, capture: () => () => never() }),
  },
  {
    lie: 'types after it was called off',
    caughtBy:
      'hang: every strategy that is called off ceases, and leaves the session dead or usable',
    because: /typed at .* after the work was called off/,
    tell: after(({ world }, { sessionId }) => {
      setTimeout(() => world.type(sessionId, '\r'), 30)
    }),
  },
  {
    lie: 'leaves a session that runs and answers nobody',
    caughtBy:
      'hang: every strategy that is called off ceases, and leaves the session dead or usable',
    because: /is not proved/,
    tell: (rig) => ({
      ...rig.driver,
      run: (request) => async () => {
        const session = rig.world.sessions.get(request.sessionId)
        if (session !== undefined) Object.assign(session.process, { stopped: false, cut: true })
        return E.right({ _tag: 'failed', detail: 'called off' })
      },
    }),
  },
  {
    lie: 'begins what was called off before',
    caughtBy: 'what was called off before it began does nothing',
    because: /was called off, and took the process/,
    tell: (rig) => ({
      ...rig.driver,
      run: (request) => rig.driver.run({ ...request, signal: new AbortController().signal }),
    }),
  },
]
