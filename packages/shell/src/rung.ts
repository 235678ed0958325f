/**
 * The ladders of force by which a prompt is freed, least force first, chosen by what stands in the
 * foreground. Pure: what was seen and tried goes in, the next rung comes out.
 *
 * The only key that is ever typed is ^C: it does no harm at a shell's prompt, should it arrive there
 * after all. ^D would end the shell, `q` would become part of its next command; a signal to a group that
 * is no longer in the foreground goes nowhere.
 */
import type { ForegroundKind, WorkHolder } from '@session-recovery/core'

// ------------------------------------------------------------------------------------------ model

export type Rung =
  /** SIGCONT, to whatever is stopped. */
  | { readonly _tag: 'continue' }
  /** ^C, typed into the terminal. */
  | { readonly _tag: 'interrupt-key' }
  /** A signal to the foreground's process group. */
  | { readonly _tag: 'signal'; readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' }

/** What the choice rests on. */
export interface Situation {
  readonly kind: ForegroundKind
  /** It is a program that holds somebody's work. */
  readonly holdsWork?: WorkHolder
  /** The foreground is the shell's own group, which gets no signal but what ^C sends it, too. */
  readonly groupIsShell: boolean
  /** The terminal turns ^C into a signal; where that is not known it is not typed. */
  readonly keyMakesSignal: boolean
  /** The command is past its expected end: only then is one that does not wait for input ended. */
  readonly late: boolean
}

export type Choice =
  | { readonly _tag: 'rung'; readonly rung: Rung }
  /** Nothing is in the way. */
  | { readonly _tag: 'free' }
  /** Not to be touched. */
  | { readonly _tag: 'let-be'; readonly why: string }
  /** Every rung was tried. */
  | { readonly _tag: 'exhausted' }

// ----------------------------------------------------------------------------------- constructors

const interruptKey: Rung = { _tag: 'interrupt-key' }
const interrupt: Rung = { _tag: 'signal', signal: 'SIGINT' }
const terminate: Rung = { _tag: 'signal', signal: 'SIGTERM' }
const hangUp: Rung = { _tag: 'signal', signal: 'SIGHUP' }

// A single ^C is lost in up to a quarter of trials on a busy machine.
const waiting: readonly Rung[] = [interruptKey, interruptKey, interrupt, terminate, hangUp]
const running: readonly Rung[] = [interrupt, terminate, hangUp]
// A terminal that closes is what editors are prepared for: they save what they hold.
const holding: readonly Rung[] = [interrupt, hangUp, terminate]
// To a pager an interrupt is to stop searching. It holds nothing that could be lost.
const paging: readonly Rung[] = [terminate, hangUp]
const stopped: readonly Rung[] = [{ _tag: 'continue' }, { _tag: 'continue' }]

// ------------------------------------------------------------------------------------ combinators

/** The next rung for what is seen, after those tried. */
export const nextRung = (seen: Situation, tried: readonly Rung[]): Choice => {
  switch (seen.kind) {
    case 'at-prompt':
      return { _tag: 'free' }
    case 'stopped':
      return climb(stopped, seen, tried)
    case 'waiting-for-line':
      if (seen.holdsWork === undefined) return climb(waiting, seen, tried)
      return seen.late
        ? climb(holding, seen, tried)
        : letBe(`${holders[seen.holdsWork]} holds somebody's work, and is not known to be late`)
    case 'waiting-for-password':
      return climb(waiting, seen, tried)
    case 'pager':
      return seen.late
        ? climb(paging, seen, tried)
        : letBe('somebody may be reading in the pager, and it is not known to be late')
    case 'full-screen':
      return seen.late
        ? climb(holding, seen, tried)
        : letBe("a full-screen program may hold somebody's work, and is not known to be late")
    case 'running':
      return seen.late
        ? climb(running, seen, tried)
        : letBe('a command that does not wait for input and is not known to be late')
    case 'unknown':
      return letBe('what stands in the foreground cannot be told')
    case 'dead':
      return letBe('there is no process')
  }
}

const letBe = (why: string): Choice => ({ _tag: 'let-be', why })

const holders: Readonly<Record<WorkHolder, string>> = {
  repl: 'an interpreter at its own prompt',
  editor: 'an editor',
}

const climb = (ladder: readonly Rung[], seen: Situation, tried: readonly Rung[]): Choice =>
  firstUntried(
    ladder.filter((rung) => allowed(rung, seen)),
    tried,
  )

const allowed = (rung: Rung, { kind, groupIsShell, keyMakesSignal }: Situation): boolean => {
  if (rung._tag === 'interrupt-key') return keyMakesSignal
  // A loop of the shell's own is ended by what ^C sends; the shell, back at its prompt, outlives it.
  return rung._tag !== 'signal' || !groupIsShell || (kind === 'running' && rung === interrupt)
}

// Each rung of the ladder that was tried already counts once, also when another ladder had it.
const firstUntried = (ladder: readonly Rung[], tried: readonly Rung[]): Choice => {
  const used = [...tried]
  for (const rung of ladder) {
    const at = used.findIndex((one) => named(one) === named(rung))
    if (at < 0) return { _tag: 'rung', rung }
    used.splice(at, 1)
  }
  return { _tag: 'exhausted' }
}

/** A rung as a person reads it. */
export const named = (rung: Rung): string =>
  rung._tag === 'continue' ? 'SIGCONT' : rung._tag === 'interrupt-key' ? '^C' : rung.signal
