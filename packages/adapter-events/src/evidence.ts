/**
 * What a host's word is worth. A listener of `session-verify-request` looked and says what it saw: that
 * is `observed`, from the source `host`, and as trustworthy as the app itself. A listener of a request
 * that returned only acknowledged it: that is `claimed`, and not to be trusted.
 */
import {
  type DecodeError,
  decode,
  type Evidence,
  Receipt,
  type ReceiptItem,
  type ReceiptItemName,
  receiptOf,
  restored,
  type Verdict,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'

// ------------------------------------------------------------------------------------------ model

/** What a listener of `session-verify-request` answers. */
export interface HostEvidence {
  /** Whether the session lives and answers. */
  readonly alive: boolean
  /** What was looked at, in words. */
  readonly detail?: string
  /** What was restored, lost or is unknown; what is left out is unknown. */
  readonly items?: Partial<Record<ReceiptItemName, ReceiptItem>>
  /** Bytes of the snapshot that were put back; left out: as many as the host was handed. */
  readonly restoredBytes?: number
}

/** What was handed to a host that acknowledged. */
export interface Acknowledged {
  readonly event: string
  readonly handedBytes: number
}

const subject = 'answer to session-verify-request'

// ----------------------------------------------------------------------------------- constructors

const seen = (grade: Evidence['grade'], detail: string, atMs: number): Evidence => ({
  source: 'host',
  grade,
  trusted: grade === 'observed',
  detail,
  atMs,
})

/** The verdict on a session that nobody vouches for. */
export const unproved = (detail: string): Verdict => ({ _tag: 'unproved', detail, evidence: [] })

/** The verdict where a host acknowledged a request and gives no evidence. */
export const claimed = ({ event, handedBytes }: Acknowledged, atMs: number): Verdict => {
  const detail = `the host acknowledged ${event}; nobody looked`
  const process: ReceiptItem = { status: 'unknown', detail }
  const evidence = [seen('claimed', detail, atMs)]
  return { _tag: 'alive', receipt: receiptOf('claimed', { process }, evidence, handedBytes) }
}

// ------------------------------------------------------------------------------------ combinators

const refused = (path: string, expected: string, actual: unknown): DecodeError => ({
  _tag: 'DecodeError',
  subject,
  path,
  expected,
  actual: typeof actual,
  message: `${subject}${path === '' ? '' : `: ${path}`}: expected ${expected}, got ${typeof actual}`,
})

/** The verdict one answer amounts to, or the field of it that is wrong. */
const verdictOf = (
  answer: unknown,
  handedBytes: number,
  atMs: number,
): E.Either<DecodeError, Verdict> => {
  if (typeof answer !== 'object' || answer === null) {
    return E.left(refused('', 'evidence with alive', answer))
  }
  const { alive, detail, items, restoredBytes } = answer as Readonly<Record<string, unknown>>
  if (typeof alive !== 'boolean') return E.left(refused('alive', 'boolean', alive))
  if (detail !== undefined && typeof detail !== 'string') {
    return E.left(refused('detail', 'string', detail))
  }
  const words = detail ?? `the host says the session is ${alive ? 'alive' : 'not alive'}`
  const evidence = [seen('observed', words, atMs)]
  if (!alive) return E.right({ _tag: 'unproved', detail: words, evidence })
  const base = receiptOf('observed', { process: restored(words) }, evidence, handedBytes)
  return E.map((receipt: Receipt): Verdict => ({ _tag: 'alive', receipt }))(
    decode(
      Receipt,
      subject,
    )({
      ...base,
      items:
        typeof items === 'object' && items !== null
          ? { ...base.items, ...items }
          : (items ?? base.items),
      restoredBytes: restoredBytes ?? base.restoredBytes,
    }),
  )
}

/**
 * The verdict that all answers together amount to: alive only if all that give evidence agree. An answer
 * of `undefined` is that of a listener that only watches.
 *
 * @returns `undefined` when nobody gave evidence; the first answer at fault when one cannot be read.
 */
export const verdictFrom = (
  answers: readonly unknown[],
  handedBytes: number,
  atMs: number,
): E.Either<DecodeError, Verdict | undefined> => {
  let verdict: Verdict | undefined
  for (const answer of answers) {
    if (answer === undefined) continue
    const one = verdictOf(answer, handedBytes, atMs)
    if (E.isLeft(one)) return one
    if (verdict === undefined || one.right._tag === 'unproved') verdict = one.right
  }
  return E.right(verdict)
}
