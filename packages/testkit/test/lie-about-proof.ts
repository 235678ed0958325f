/** Lies about what is alive, what is done, and what was restored. */
import type { RunOutcome } from '@session-recovery/core'
import { after, aliveOnly, done, isRenewing, type Lie, proof, running, verifying } from './lie.js'

export const aboutProof: readonly Lie[] = [
  {
    lie: 'says done and does nothing',
    caughtBy: 'killed: restart gives a new process, proved as declared',
    because: /is not proved/,
    tell: running((_rig, request) => (isRenewing(request) ? Promise.resolve(done) : undefined)),
  },
  {
    lie: 'says alive of the dead',
    caughtBy: 'killed: a session to which nothing was done since is not proved alive',
    because: /without being so/,
    tell: verifying(() => proof('observed')),
  },
  {
    lie: 'says alive of what is stopped',
    caughtBy: 'hang: a session to which nothing was done since is not proved alive',
    because: /without being so/,
    tell: verifying(({ world }, verdict, id) =>
      world.sessions.get(id)?.process.stopped === true ? proof('observed') : verdict,
    ),
  },
  {
    lie: 'says alive of what cannot be reached',
    caughtBy: 'half-open: a session to which nothing was done since is not proved alive',
    because: /without being so/,
    tell: verifying(({ world }, verdict, id) =>
      world.sessions.get(id)?.process.cut === true ? proof('observed') : verdict,
    ),
  },
  {
    lie: 'is taken in by what only says that all is well',
    caughtBy: 'lying-success: restore of what only says that all is well proves nothing',
    because: /impostor/,
    tell: verifying(({ world }, verdict, id) =>
      world.sessions.get(id)?.process.impostor === true ? proof('observed') : verdict,
    ),
  },
  {
    lie: 'claims to have observed, without evidence',
    caughtBy: 'killed: restore gives a new process, proved as declared',
    because: /no trusted evidence/,
    tell: verifying(
      aliveOnly(({ receipt }) => ({ _tag: 'alive', receipt: { ...receipt, evidence: [] } })),
    ),
  },
  {
    lie: 'shows evidence that it does not trust itself',
    caughtBy: 'a session that is well is proved alive when it is looked at, and keeps its process',
    because: /no trusted evidence/,
    tell: verifying(aliveOnly(() => proof('observed', { trusted: false }))),
  },
  {
    lie: 'proves less than it declares',
    caughtBy: 'a session that is well is proved alive when it is looked at, and keeps its process',
    because: /the proof is claimed/,
    tell: verifying(aliveOnly(() => proof('claimed'))),
  },
  {
    lie: 'leaves the receipt empty',
    caughtBy: 'killed: restart gives a new process, proved as declared',
    because: /says nothing of cwd/,
    tell: verifying(
      aliveOnly(({ receipt }) => ({
        _tag: 'alive',
        receipt: {
          ...receipt,
          items: { ...receipt.items, cwd: { status: 'unknown', detail: '' } },
        },
      })),
    ),
  },
  {
    lie: 'takes the credit for what it did not do',
    caughtBy: 'a session that was never lost is no proof of restart',
    because: /without being so/,
    tell: (rig) => ({
      ...rig.driver,
      verify: ({ strategy: _ignored, ...request }) => rig.driver.verify(request),
    }),
  },
  {
    lie: 'calls restored what is not there',
    caughtBy: 'what the receipt calls restored is there; what it does not is said to be lost',
    because: /calls the environment restored; the variable is not there/,
    tell: after(({ world }, request) => {
      if (isRenewing(request)) world.sessions.get(request.sessionId)?.process.environment.clear()
    }),
  },
  {
    lie: 'keeps quiet about lost secrets',
    caughtBy: 'a secret that nobody has any more is reported lost, by the name of its variable',
    because: /lacks a secret is called restored/,
    tell: (rig) => ({
      ...rig.driver,
      run: (request) => rig.driver.run({ ...request, lostSecrets: [] }),
    }),
  },
  {
    lie: 'brings back what nobody knows',
    caughtBy: 'a session nobody knows and nothing was kept of cannot be brought back',
    because: /on a session nobody knows/,
    tell: running(({ world }, { sessionId }) =>
      world.sessions.has(sessionId) ? undefined : Promise.resolve(done),
    ),
  },
  {
    lie: 'calls another process the one there was',
    caughtBy:
      'half-open: reconnect gives the same process back, proved as declared, or says it is another',
    because: /the process is another; the receipt calls it restored/,
    tell: after(({ world }, { strategy, sessionId }) => {
      const session = world.sessions.get(sessionId)
      if (strategy !== 'reconnect' || session === undefined) return
      session.process.alive = false
      session.process = world.start(sessionId, [])
    }),
  },
  {
    lie: 'answers outside the closed union',
    caughtBy: 'killed: restart gives a new process, proved as declared',
    because: /outside the closed union/,
    tell: running(() => Promise.resolve({ _tag: 'fine', detail: '' } as unknown as RunOutcome)),
  },
  {
    lie: 'throws instead of answering',
    caughtBy: 'a session nobody knows is not proved alive, and cannot be captured',
    because: /rejected instead of answered/,
    tell: (rig) => ({
      ...rig.driver,
      capture: () => () => Promise.reject(new Error('no')),
    }),
  },
]
