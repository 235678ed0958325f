/**
 * The probe: whether a session's host can be reached and lets us in, asked for all who share it. Nothing is
 * done there; what was connected for it is left for the next who needs it.
 */
import type { Driver, DriverError, Probed, ProbeRequest } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { HostPool, StartFailure } from './host.js'
import type { Roster } from './roster.js'

/** Tries the hosts of `pool`. */
export const probeIn =
  (pool: HostPool, roster: Roster): NonNullable<Driver['probe']> =>
  (request) =>
  async () => {
    try {
      return E.right(await probed(request, pool, roster))
    } catch (thrown) {
      const message = thrown instanceof Error ? thrown.message : String(thrown)
      return E.left<DriverError>({ _tag: 'DriverError', message })
    }
  }

const probed = async (
  { sessionId, snapshot, signal }: ProbeRequest,
  pool: HostPool,
  roster: Roster,
): Promise<Probed> => {
  const open = roster.find(sessionId)?.host
  const { sessionOptions, standing } = snapshot ?? {}
  const host =
    open === undefined ? pool.hostOf(sessionId, sessionOptions, standing?.place) : E.right(open)
  // What is wrong with its options is no matter of the host: its own recovery says so.
  if (E.isLeft(host)) return { verdict: 'reachable', detail: host.left.detail }
  const { name, probe } = host.right
  if (probe === undefined) return { verdict: 'reachable', detail: `${name} is always there` }
  const reached = await probe(signal)
  return E.isRight(reached)
    ? { verdict: 'reachable', detail: `${name} let us in` }
    : { verdict: verdictOf(reached.left), detail: reached.left.detail }
}

/** A host that answers, and is not to be helped by waiting, is reached: each session learns why itself. */
const verdictOf = ({ credentialRefused, permanent }: StartFailure): Probed['verdict'] => {
  if (credentialRefused === true) return 'refused'
  return permanent === true ? 'reachable' : 'unreachable'
}
