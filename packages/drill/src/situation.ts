/**
 * A situation a terminal can be in: what makes it, what it truly is, and by what it is known to have come
 * about without asking the classifier that is to be tried on it.
 */
import type { ForegroundKind } from '@session-recovery/core'

export type SituationShell = 'bash' | 'zsh' | 'fish'

/** Others have other words for it, or show it in another way. */
export const inBash = { shells: ['bash'] } as const
export const notInFish = { shells: ['bash', 'zsh'] } as const

export interface Situation {
  readonly name: string
  /** The programs it needs, beside bash and what every system has. */
  readonly needs: readonly string[]
  /** Typed at the prompt, and entered; `undefined`: nothing is. */
  readonly line?: string
  /** What it truly is. */
  readonly expected: ForegroundKind
  /** It is well as it is: nothing may interrupt it by default, however long it lasts. */
  readonly healthy: boolean
  /** What the terminal shows once it has come about. */
  readonly shows?: RegExp
  /** The command line of a process of the session that runs by then. */
  readonly runs?: RegExp
  /** Typed once the above is so. */
  readonly keys?: string
  /** What the terminal shows after that. */
  readonly showsThen?: RegExp
  /** Whose process is stopped then, by its command line; or the shell itself is. */
  readonly stops?: RegExp | 'shell'
  /** The shell is killed then. */
  readonly dies?: boolean
  /** It goes on moving: its processes are not waited for to lie still. */
  readonly moves?: boolean
  /** The shells that have these words for it; default: all. */
  readonly shells?: readonly SituationShell[]
  /** It can be made by root only. */
  readonly rootOnly?: boolean
  /** What frees the prompt, by default and where it is late; `undefined`: nothing is done to it. */
  readonly freed: { readonly byDefault?: Freed; readonly late?: Freed }
}

/** What becomes of the foreground when the prompt is to be freed. */
export type Freed = 'prompt' | 'another'

/** Waits for input that nobody gives: freed by default. */
export const stuck = { byDefault: 'prompt', late: 'prompt' } as const
/** Well as it is, and ended only where it is late. */
export const patient = { late: 'prompt' } as const
/** Never touched. */
export const untouched = {} as const
