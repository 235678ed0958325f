/**
 * Verifications: a new process proves itself by the first prompt signed with the nonce made for it, a
 * living one by the signed answer of its bound key. No command is typed.
 */
import {
  type Clock,
  type Evidence,
  lost,
  type Receipt,
  type RecoveryStrategy,
  type Verdict,
  type VerifyRequest,
} from '@session-recovery/core'
import { ask, glance, isLikelyPrompt, lookAt, redrawn } from './looking.js'
import { described, livingReceipt, observed, respawnReceipt } from './receipt.js'
import { livingShell, type Respawn, type Session } from './session.js'

type Request = Pick<VerifyRequest, 'strategy' | 'signal' | 'traits'>

// What these strategies do is proved by a process that was started anew, or attached to again.
const starting: ReadonlySet<RecoveryStrategy | undefined> = new Set([
  'restart',
  'restore',
  'reconnect',
  'migrate',
  'replicate',
])

const unproved = (detail: string, evidence: readonly Evidence[] = []): Verdict => ({
  _tag: 'unproved',
  detail,
  evidence: [...evidence],
})

/** Looks for evidence that the session is well. */
export const verify = async (
  session: Session,
  request: Request,
  clock: Clock,
): Promise<Verdict> => {
  const { replica } = session.deed
  if (request.strategy === 'replicate') {
    return replica === undefined
      ? unproved('there is no replica')
      : verify(replica, { ...request, strategy: 'restore' }, clock)
  }
  const shell = livingShell(session)
  if (session.fenced) return unproved('another session has taken its place')
  if (shell === undefined) return unproved('there is no process')
  const { strategy } = request
  const { respawn, attached } = session.deed
  const isRespawned = respawn?.shell === shell
  if (isRespawned && (starting.has(strategy) || strategy === 'session-refresh')) {
    return verifyRespawn(session, respawn, strategy, clock)
  }
  if (starting.has(strategy) && attached !== shell) {
    return unproved('the process is neither one that was started anew nor one attached to again')
  }
  if (strategy === undefined || strategy === 'reconnect') {
    const untouched = await verifyUntouched(session, request, clock)
    if (untouched !== undefined) return untouched
  } else if ((await shell.process.look(false)).alive === false) {
    return unproved('the process is gone')
  }
  return verifyAnswer(session, request, clock)
}

const verifyAnswer = async (
  session: Session,
  { signal }: Request,
  clock: Clock,
): Promise<Verdict> => {
  const answer = await ask(session, clock, signal)
  const shell = livingShell(session)
  if (answer._tag === 'silent' || shell === undefined) {
    const detail = answer._tag === 'silent' ? answer.detail : 'the process ended'
    return unproved(detail, [observed('probe', detail, clock.wallMs())])
  }
  const { identity } = shell.process
  const detail = `answer ${answer.count} of the bound key, signed, from ${described(identity)}`
  const ends = (session.deed.retried ?? []).map(({ line, exitCode, tries }) =>
    observed('mark', `${line}: ended with code ${exitCode}, try ${tries}`, clock.wallMs()),
  )
  return {
    _tag: 'alive',
    receipt: livingReceipt(session, shell, [observed('mark', detail, clock.wallMs()), ...ends]),
  }
}

const verifyRespawn = async (
  session: Session,
  respawn: Respawn,
  strategy: RecoveryStrategy | undefined,
  clock: Clock,
): Promise<Verdict> => {
  const { shell } = respawn
  const nowMs = clock.wallMs()
  const isSigned = shell.shows.prompt === 'mark'
  if (isSigned && shell.dialogue().prompts === 0) {
    return unproved('no signed prompt of the new process')
  }
  if (!isSigned && (await shell.process.look(false)).alive !== true) {
    return unproved(`that the program runs as ${described(shell.process.identity)} was not seen`)
  }
  const receipt = await respawnReceipt(session, respawn, [
    isSigned
      ? observed('mark', `first signed prompt of ${described(shell.process.identity)}`, nowMs)
      : observed('kernel', `the program runs as ${described(shell.process.identity)}`, nowMs),
  ])
  return shell.gone() === undefined
    ? { _tag: 'alive', receipt: strategy === 'reconnect' ? withoutTheOld(receipt) : receipt }
    : unproved('the new process ended while it was compared', receipt.evidence)
}

// Whoever asks to be connected again asks for the process there was.
const withoutTheOld = (receipt: Receipt): Receipt => ({
  ...receipt,
  items: { ...receipt.items, process: lost(receipt.items.process.detail) },
})

/**
 * A session that is merely looked at while it cannot be asked: a command runs in it, or somebody sits at
 * it. The kernel shows its very process and that nothing has stopped it.
 *
 * @returns `undefined` when it can be asked.
 */
const verifyUntouched = async (
  session: Session,
  { traits }: Request,
  clock: Clock,
): Promise<Verdict | undefined> => {
  const attended = traits.attended || session.spec.attended
  const before = livingShell(session)
  const isUnsaid = before?.shows.prompt === 'mark' && before.dialogue().mark === undefined
  if (before !== undefined && isUnsaid && !attended) {
    if (before.dialogue().running !== undefined) await redrawn(session, before, clock)
    // One that was attached to: its shell's own reading is likely its prompt, and asking looks again.
    const { sight } = await glance(session, before, undefined)
    if (isLikelyPrompt(before, sight) && sight?.seen.readsTerminal === true) return undefined
  }
  const { foreground, sight } = await lookAt(session, clock)
  const shell = livingShell(session)
  if (shell === undefined) return unproved('there is no process')
  const nowMs = clock.wallMs()
  const seen = foreground.reasons.map((reason) => observed('kernel', reason, nowMs))
  if (foreground.kind === 'stopped' || foreground.kind === 'dead') {
    return unproved(`the session is ${foreground.kind}`, seen)
  }
  // One that was attached to has not said where it is; the shell's own reading is likely its prompt.
  const askable = foreground.kind === 'at-prompt' || isLikelyPrompt(shell, sight)
  if (askable && !attended && shell.shows.prompt === 'mark') return undefined
  // Whatever the marks said before, nobody has seen the process now.
  if (sight?.wasLooked !== true) {
    return unproved(`${described(shell.process.identity)} could not be looked at`)
  }
  const proof = [observed('kernel', `${described(shell.process.identity)} lives`, nowMs), ...seen]
  return { _tag: 'alive', receipt: livingReceipt(session, shell, proof) }
}
