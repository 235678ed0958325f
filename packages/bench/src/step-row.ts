/**
 * One event through `step`, the table compiled from the machine, beside `actor.send` on the machine itself:
 * the same events in the same order, incident after incident of one session, each recovered at once.
 */
import {
  type Control,
  type Failure,
  type Policy,
  receiptOf,
  register,
  restored,
  type SessionEvent,
  type SessionRecord,
} from '@session-recovery/core'
import { type Step, sessionMachine, stepUnder } from '@session-recovery/engine'
import { createActor } from 'xstate'
import { inPairs } from './pairing.js'
import { policyOf } from './recovery.js'
import { atMost, type Measured, type Row, type Trial } from './row.js'

// Few, so that most samples end before another process gets the processor.
const incidentsPerSample = 20

const firstRecord = (policy: Policy): SessionRecord =>
  register(
    'bench',
    1,
    {
      type: 'registered',
      atMs: 0,
      traits: {
        kind: 'local',
        attended: false,
        shell: true,
        rerunnable: false,
        failureExitCodes: [],
        idempotentCommands: [],
      },
    },
    policy,
  )[0]

/** The event that follows: a failure, the run that is done, the proof of life. */
const eventAfter = ({ control }: SessionRecord, at: number): SessionEvent => {
  const atMs = at * 10
  const token = control.incident?.token ?? ''
  if (at % 3 === 0) {
    const failure: Failure = {
      kind: 'process-died',
      reason: 'process killed by SIGKILL',
      interactivity: 'none',
      permanent: false,
      evidence: [],
    }
    return { type: 'failed', atMs, failure, view: { generation: 1, capturedAtMs: 0 } }
  }
  if (at % 3 === 1) return { type: 'acted', atMs, token, outcome: { _tag: 'done', detail: 'ok' } }
  const receipt = receiptOf('observed', { process: restored('bench') })
  return { type: 'verified', atMs, token, verdict: { _tag: 'alive', receipt } }
}

/** The events of so many incidents, each answered under the token that is awaited then. */
const eventsFrom = (first: SessionRecord, step: Step): readonly SessionEvent[] => {
  const events: SessionEvent[] = []
  let record = first
  for (let at = 0; at < incidentsPerSample * 3; at++) {
    const event = eventAfter(record, at)
    events.push(event)
    record = step(record, event)[0]
  }
  return events
}

const checked = ({ incidents }: Control): void => {
  if (incidents !== incidentsPerSample) throw new Error(`${incidents} incidents were recovered`)
}

const measured = async ({ rounds, progress }: Trial): Promise<Measured> => {
  const policy = policyOf('restart')
  const first = firstRecord(policy)
  const step = stepUnder(policy)
  const events = eventsFrom(first, step)
  const machine = sessionMachine(policy)
  const perEventUs = (beganMs: number) => ((performance.now() - beganMs) * 1_000) / events.length
  const pairs = await inPairs({
    rounds,
    measured: () => {
      const beganMs = performance.now()
      let record = first
      for (const event of events) record = step(record, event)[0]
      const tookUs = perEventUs(beganMs)
      checked(record.control)
      return tookUs
    },
    reference: () => {
      const actor = createActor(machine, { input: first.control }).start()
      const beganMs = performance.now()
      for (const event of events) actor.send(event)
      const tookUs = perEventUs(beganMs)
      checked(actor.getSnapshot().context)
      return tookUs
    },
    progress,
    warmUps: 60,
  })
  const what = 'one event through step'
  const reference = 'actor.send on the same machine'
  return { figures: [{ what, unit: 'µs', reference, pairs, bound: atMost(0.25) }] }
}

export const stepRow: Row = {
  name: 'step',
  what: 'one event through step, beside actor.send on the same machine',
  rounds: 301,
  run: measured,
}
