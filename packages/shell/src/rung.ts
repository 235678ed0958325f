/**
 * The ladders of force by which a prompt is freed, least force first, chosen by what stands in the
 * foreground. Pure: what was seen and tried goes in, the next rung comes out.
 */
import type { ForegroundKind } from '@session-recovery/core'

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
  /** The foreground is the shell's own group, which is never signalled. */
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
const signals: readonly Rung[] = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => ({
  _tag: 'signal',
  signal,
}))
// A single ^C is lost in up to a quarter of trials on a busy machine.
const waiting: readonly Rung[] = [interruptKey, interruptKey, ...signals]
const stopped: readonly Rung[] = [{ _tag: 'continue' }, { _tag: 'continue' }]

// ------------------------------------------------------------------------------------ combinators

/** The next rung for what is seen, after those tried. */
export const nextRung = (seen: Situation, tried: readonly Rung[]): Choice => {
  switch (seen.kind) {
    case 'at-prompt':
      return { _tag: 'free' }
    case 'stopped':
      return firstUntried(stopped, tried)
    case 'waiting-for-line':
    case 'waiting-for-password':
      return firstUntried(
        waiting.filter((rung) => allowed(rung, seen)),
        tried,
      )
    case 'running':
    case 'full-screen':
    case 'pager':
      return seen.late
        ? firstUntried(
            signals.filter((rung) => allowed(rung, seen)),
            tried,
          )
        : {
            _tag: 'let-be',
            why: 'a command that does not wait for input and is not known to be late',
          }
    case 'unknown':
      return { _tag: 'let-be', why: 'what stands in the foreground cannot be told' }
    case 'dead':
      return { _tag: 'let-be', why: 'there is no process' }
  }
}

const allowed = (rung: Rung, { groupIsShell, keyMakesSignal }: Situation): boolean =>
  rung._tag === 'signal' ? !groupIsShell : rung._tag !== 'interrupt-key' || keyMakesSignal

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
