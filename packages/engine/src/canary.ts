/**
 * A canary: one session's transport is tried for all who share a domain with it, and what was found is
 * written into that session's journal before anybody is let go for it.
 */
import type { DriverError, Probed, ProbeVerdict, SessionRecord } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { cleanText } from './free-text.js'
import type { Runtime } from './runtime.js'
import type { Waiting } from './waiting-line.js'

// ------------------------------------------------------------------------------------------ model

export interface CanaryRequest {
  readonly domain: string
  readonly token: string
  readonly deadlineMs?: number | undefined
  readonly signal: AbortSignal
}

/** Probes in a row that did not come back, with this one. */
export type TriesWith = (verdict: ProbeVerdict) => number

const unreachable = (detail: string): Probed => ({ verdict: 'unreachable', detail })

const isHeld = (record: SessionRecord): boolean => record.state === 'recovering.held'

// ----------------------------------------------------------------------------------------- canary

/** Sends the canary out; it is back, with whatever it found, when this resolves. */
export const sendCanary = async (
  runtime: Runtime,
  waiting: Waiting,
  request: CanaryRequest,
  triesWith: TriesWith,
): Promise<Probed> => {
  const found = await tried(runtime, waiting, request)
  const { keeper, lane } = waiting.guest
  await keeper.learnt()
  const detail = cleanText(found.detail, keeper.known)
  const { verdict } = found
  const { domain } = request
  const tries = triesWith(verdict)
  await lane.insist((atMs, record) =>
    isHeld(record) ? { type: 'probed', atMs, domain, verdict, tries, detail } : undefined,
  )
  return { verdict, detail }
}

const tried = async (
  runtime: Runtime,
  { guest, sessionId }: Waiting,
  { domain, token, deadlineMs, signal }: CanaryRequest,
): Promise<Probed> => {
  const { name, probe } = runtime.driver
  // Whoever is let go first is the try, then.
  if (probe === undefined) return { verdict: 'reachable', detail: `${name} cannot probe` }
  const over = new Promise<Probed>((resolve) => {
    const end = () => resolve(unreachable('it gave no answer in time'))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end)
  })
  const asked = async (): Promise<Probed> => {
    const kept = await guest.keeper.retrieve()
    // It waits, and may for long.
    guest.keeper.letGo()
    // It was given up before it went.
    if (signal.aborted) return unreachable('it was given up')
    const { incarnation, traits } = guest.lane.record.control
    const answer = (answered: E.Either<DriverError, Probed>) =>
      E.isRight(answered) ? answered.right : unreachable(answered.left.message)
    return probe({
      sessionId,
      incarnation,
      traits,
      token,
      domain,
      signal,
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      ...(kept === undefined ? {} : { snapshot: kept.snapshot }),
    })().then(answer)
  }
  const threw = (thrown: unknown): Probed =>
    unreachable(thrown instanceof Error ? thrown.message : String(thrown))
  return Promise.race([asked().catch(threw), over])
}
