/**
 * Frees the prompt in a scene of the corpus, as the engine asks for it, and tells what was typed and sent.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { classify, defaultPolicy, type RunOutcome, type Verdict } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { plainTraits, type Scene, type SituationStage } from '../src/situation-stage.js'

/** What reached terminals and processes so far, by the shell of the session it was meant for. */
export const typedAt = new Map<number, string>()
export const signalledAt = new Map<number, string[]>()

/** Notes a signal before it is sent. @param target a process, or, negative, a group. */
export const noteSignal = (target: number, signal: string): void => {
  const leader = target < 0 ? sessionOfGroup(-target) : fieldsOf(target)?.session
  if (leader === undefined) return
  signalledAt.set(leader, [...(signalledAt.get(leader) ?? []), signal])
}

const fieldsOf = (pid: number) => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [, , group, session] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    return { group, session }
  } catch {
    return undefined
  }
}

// Who led the group may be gone before the others of it.
const sessionOfGroup = (group: number): number | undefined =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => fieldsOf(Number(name)))
    .find((fields) => fields?.group === group)?.session

export interface Interruption {
  readonly outcome: RunOutcome
  readonly typed: string
  readonly signals: readonly string[]
}

const request = (sessionId: string) => ({
  sessionId,
  incarnation: 1,
  traits: plainTraits,
  token: 'token',
  signal: new AbortController().signal,
})

/** Runs `prompt-interrupt` on a scene. */
export const interrupted = async (
  { driver }: SituationStage,
  { id, shellPid }: Scene,
): Promise<Interruption> => {
  const typedBefore = (typedAt.get(shellPid) ?? '').length
  const sentBefore = (signalledAt.get(shellPid) ?? []).length
  const outcome = await driver.run({
    ...request(id),
    strategy: 'prompt-interrupt',
    attempt: 1,
    failure: classify('stuck', []),
    plan: {
      sessionId: id,
      strategies: ['prompt-interrupt'],
      priority: 'medium',
      estimatedTime: 0,
      requiredResources: [],
      fallbackOptions: [],
    },
    repeated: false,
    lostSecrets: [],
    policy: defaultPolicy,
  })()
  return {
    outcome: E.isRight(outcome) ? outcome.right : { _tag: 'failed', detail: String(outcome.left) },
    typed: (typedAt.get(shellPid) ?? '').slice(typedBefore),
    signals: (signalledAt.get(shellPid) ?? []).slice(sentBefore),
  }
}

/** Asks for the proof that the prompt is back. */
export const proved = async ({ driver }: SituationStage, { id }: Scene): Promise<Verdict> => {
  const verdict = await driver.verify({ ...request(id), strategy: 'prompt-interrupt' })()
  return E.isRight(verdict)
    ? verdict.right
    : { _tag: 'unproved', detail: String(verdict.left), evidence: [] }
}
