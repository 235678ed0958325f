/**
 * The strategies for a living session: `prompt-interrupt` frees the prompt by the least force,
 * `prompt-reset` arms the integration again, `session-refresh` asks the shell whether it answers.
 * None of them types at an attended session or at what is unknown. The terminal drops what was typed ahead
 * and not read yet when ^C makes a signal of it, so that rung costs such input; no other does.
 *
 * The foreground is looked at immediately before a rung is applied. What happens between that look and
 * the rung, some microseconds here and a round trip on a remote host, cannot be seen: a ^C may reach what
 * has just taken the foreground's place. A signal cannot: its host sends it only to a group that still is
 * the foreground.
 */
import type {
  Cancellation,
  Clock,
  Foreground,
  RunOutcome,
  RunRequest,
} from '@session-recovery/core'
import type { LaunchPad } from './launch.js'
import { ask, glance, type Look, lateAtMs, lookAt, lookUntil, unready } from './looking.js'
import { type RespawnRequest, respawn } from './respawn.js'
import { named, nextRung, type Rung } from './rung.js'
import { livingShell, type Session } from './session.js'
import { asideText, emptied } from './set-aside.js'
import type { Shell } from './shell.js'
import { pause } from './waiting.js'

// How long a rung has to show an effect before the next is tried.
const rungWithinMs = 400
const lookEveryMs = 20
const looksLimit = 50
const patienceLooks = 3
const asideWithinMs = 2_000

const done = (detail: string): RunOutcome => ({ _tag: 'done', detail })
const failed = (detail: string): RunOutcome => ({ _tag: 'failed', detail })
const notApplicable = (detail: string): RunOutcome => ({ _tag: 'not-applicable', detail })

const attended = (session: Session, { traits }: Pick<RunRequest, 'traits'>): boolean =>
  traits.attended || session.spec.attended

const untouchable = 'somebody sits at this session: it is never typed at'

// ------------------------------------------------------------------------------------ combinators

/** Frees the prompt; looks again before every rung, and after it whether it helped. */
export const promptInterrupt = async (
  session: Session,
  request: Pick<RunRequest, 'traits' | 'signal'>,
  clock: Clock,
  /** What runs is known to be late. */
  { late = false }: { readonly late?: boolean } = {},
): Promise<RunOutcome> => {
  if (attended(session, request)) return notApplicable(untouchable)
  const tried: Rung[] = []
  let patience = patienceLooks
  let refusedBy: number | undefined
  const before = session.shell?.dialogue()
  const command = before?.running
  for (let looks = 0; looks < looksLimit; looks++) {
    if (request.signal.aborted) return failed('called off')
    const shell = livingShell(session)
    if (shell === undefined) return failed('there is no process')
    const look = await lookAt(session, clock)
    const choice = nextRung(
      { ...situationOf(session, look, clock), ...(late ? { late } : {}) },
      tried,
    )
    const after = tried.length === 0 ? 'nothing was sent' : `after ${tried.map(named).join(', ')}`
    if (choice._tag === 'free') {
      if (tried.length > 0 && command !== undefined && shell.dialogue().running === undefined) {
        session.interrupted = command.line ?? 'a command kept out of the history'
      }
      if (tried.length > 0 && before?.mark === 'continuation') {
        session.interrupted = 'the beginning of a command whose rest was never entered'
      }
      return done(`the shell is at its prompt, ${after}`)
    }
    if (choice._tag === 'let-be' && tried.length === 0) {
      // Between two commands of a loop nothing can be told for a moment.
      if (look.foreground.kind === 'unknown' && looks < patienceLooks) {
        await pause(clock, lookEveryMs, request.signal)
        continue
      }
      return notApplicable(`${look.foreground.kind}: ${choice.why}`)
    }
    if (choice._tag !== 'rung') {
      // A command that dies hands the terminal over in steps: what is seen meanwhile is not the end.
      if (patience-- > 0) {
        await settled(session, shell, look, clock, request.signal)
        continue
      }
      const why = choice._tag === 'let-be' ? `: ${choice.why}` : ''
      return failed(`still ${look.foreground.kind}, ${after}${why}`)
    }
    // The foreground may have changed while the terminal's flags were read.
    if (isSame(look, await glance(session, shell, look.flags))) {
      const group = look.sight?.group
      if (!(await apply(choice.rung, shell, look)) && refusedBy !== group) {
        // Another has just taken its place, as in a loop of short commands; or it may not be signalled.
        refusedBy = group
        continue
      }
      tried.push(choice.rung)
      await settled(session, shell, look, clock, request.signal)
    } else {
      await pause(clock, lookEveryMs, request.signal)
    }
  }
  return failed('the foreground changes faster than it can be looked at')
}

const situationOf = (session: Session, look: Look, clock: Clock) => ({
  kind: look.foreground.kind,
  ...(look.foreground.holdsWork === undefined ? {} : { holdsWork: look.foreground.holdsWork }),
  groupIsShell: look.sight?.groupIsShell ?? true,
  keyMakesSignal: look.flags?.signals ?? false,
  late: (lateAtMs(session) ?? Number.POSITIVE_INFINITY) <= clock.wallMs(),
})

const isSame = (before: Look, now: Look): boolean =>
  before.foreground.kind === now.foreground.kind &&
  before.foreground.holdsWork === now.foreground.holdsWork &&
  before.sight?.group === now.sight?.group &&
  before.sight?.seen.reader === now.sight?.seen.reader

/** @returns `false`: nobody took it. */
const apply = async (rung: Rung, shell: Shell, { sight }: Look): Promise<boolean> => {
  const group = sight?.group
  if (rung._tag === 'interrupt-key') return shell.write('\x03')
  const isGroup = group !== undefined && group > 1
  if (rung._tag === 'signal') return isGroup && shell.process.signal({ group }, rung.signal)
  const woken = await shell.process.signal('process', 'SIGCONT')
  return (isGroup && (await shell.process.signal({ group }, 'SIGCONT'))) || woken
}

// Ends when the prompt is there or the foreground is another; a rung that changes nothing costs its bound.
const settled = async (
  session: Session,
  shell: Shell,
  before: Look,
  clock: Clock,
  signal: Cancellation,
): Promise<void> => {
  const prompted = shell.dialogue().prompts
  const bounds = { withinMs: rungWithinMs, everyMs: lookEveryMs, flags: before.flags, signal }
  await lookUntil(session, shell, clock, bounds, ({ foreground: { kind } }) => {
    if (shell.dialogue().prompts > prompted) return true
    return before.foreground.kind === 'stopped' && kind !== 'stopped'
  })
}

/**
 * Arms the integration again by the bound key, and takes the line that stands half typed out of the
 * editor: it is kept, and not run. Input that waits in the terminal for a command stays there.
 */
export const promptReset = async (
  session: Session,
  request: Pick<RunRequest, 'traits' | 'signal' | 'snapshot'>,
  clock: Clock,
): Promise<RunOutcome> => {
  if (attended(session, request)) return notApplicable(untouchable)
  const answer = await ask(session, clock, request.signal)
  const pending = request.snapshot?.interactiveState?.pendingCommands ?? []
  const shell = livingShell(session)
  if (answer._tag !== 'answered' || shell === undefined) {
    const detail = answer._tag === 'silent' ? answer.detail : 'the process ended'
    return failed([detail, ...asideText(pending)].join('; '))
  }
  const before = session.setAside.length
  const { signal } = request
  const why = await unready(session, shell, clock, { signal, flags: 'spare' })
  if (why !== undefined) return failed([why, ...asideText(pending)].join('; '))
  const isReady = async () => (await unready(session, shell, clock, { signal })) === undefined
  const isEmpty = await emptied(shell, clock, asideWithinMs, { signal, isReady })
  const aside = asideText([...pending, ...session.setAside.slice(before)])
  return isEmpty
    ? done(['the integration is armed and its marks flow', ...aside].join('; '))
    : failed(['the shell answers, but did not say that its line is empty', ...aside].join('; '))
}

const isHealthy = ({ kind, holdsWork }: Foreground): boolean =>
  kind === 'running' || kind === 'full-screen' || kind === 'pager' || holdsWork !== undefined

/** Asks the shell; one that does not answer is started again if the policy says so. */
export const sessionRefresh = async (
  session: Session,
  request: RespawnRequest,
  pad: LaunchPad,
): Promise<RunOutcome> => {
  if (attended(session, request)) return notApplicable(untouchable)
  const { foreground } = await lookAt(session, pad.clock)
  const late = (lateAtMs(session) ?? Number.POSITIVE_INFINITY) <= pad.clock.wallMs()
  const healthy = !late && isHealthy(foreground)
  if (healthy || foreground.kind === 'unknown') {
    return failed(`${foreground.kind}: the shell cannot be asked, and what runs is let be`)
  }
  const { timeoutMs: withinMs } = request.policy.refresh
  const answer = await ask(session, pad.clock, request.signal, { withinMs })
  if (answer._tag === 'answered') return done('the shell answered')
  if (request.signal.aborted || !request.policy.refresh.fallbackToRestart) {
    return failed(answer.detail)
  }
  return respawn(session, 'restart', request, pad)
}
