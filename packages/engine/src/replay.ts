/**
 * Replay: folding a journal through the step that wrote it, as a check and as the debugger. The engine
 * itself never decides anything again; it loads the records that were committed.
 */
import {
  digest,
  Effect,
  type JournalEntry,
  orderedJson,
  type Policy,
  policyDigest,
  register,
  SessionRecord,
  stepVersion,
} from '@session-recovery/core'
import { type Stepped, stepUnder } from './step.js'

// ------------------------------------------------------------------------------------------ model

/** What replaying one session's journal showed. */
export type Replayed =
  | { readonly _tag: 'same'; readonly record: SessionRecord; readonly decisions: number }
  /** Another decision was taken than is journalled: the first one is named. */
  | {
      readonly _tag: 'different'
      readonly rev: number
      readonly journalled: string
      readonly replayed: string
    }
  /** It was written by other code or under another policy, or its beginning is gone: nothing is said. */
  | { readonly _tag: 'not-comparable'; readonly because: string }

// ----------------------------------------------------------------------------------------- replay

const jsonOfEffects = (effects: readonly Effect[]): string =>
  orderedJson(effects.map((effect) => Effect.encode(effect)))

/** Replays the journal of one session, oldest first, under the policy that wrote it. */
export const replay = (entries: readonly JournalEntry[], policy: Policy): Replayed => {
  const step = stepUnder(policy)
  const digestOfPolicy = policyDigest(policy)
  let record: SessionRecord | undefined
  let before: string | undefined
  for (const entry of entries) {
    if (entry.stepVersion !== stepVersion) {
      return notComparable(`entry ${entry.rev} was decided by step version ${entry.stepVersion}`)
    }
    if (entry.policyDigest !== digestOfPolicy) {
      return notComparable(`entry ${entry.rev} was decided under another policy`)
    }
    const stepped = decided(step, { record, digest: before }, entry, policy)
    if (stepped === undefined) {
      return notComparable(`what came before entry ${entry.rev} is not in the journal`)
    }
    const [next, effects] = stepped
    const replayed = digest(SessionRecord.encode(next))
    const isSame = replayed === entry.recordDigest && next.rev === entry.rev
    if (!isSame || jsonOfEffects(effects) !== jsonOfEffects(entry.effects)) {
      return { _tag: 'different', rev: entry.rev, journalled: entry.recordDigest, replayed }
    }
    record = next
    before = replayed
  }
  if (record === undefined) return notComparable('the journal is empty')
  return { _tag: 'same', record, decisions: entries.length }
}

const notComparable = (because: string): Replayed => ({ _tag: 'not-comparable', because })

/** `undefined` where the entry does not follow `before`. */
const decided = (
  step: ReturnType<typeof stepUnder>,
  before: { readonly record: SessionRecord | undefined; readonly digest: string | undefined },
  { event, sessionId, incarnation, follows }: JournalEntry,
  policy: Policy,
): Stepped | undefined => {
  if (event.type === 'registered') return register(sessionId, incarnation, event, policy)
  if (before.record === undefined || follows !== before.digest) return undefined
  return step(before.record, event)
}
