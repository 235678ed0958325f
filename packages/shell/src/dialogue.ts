/**
 * What the signed marks of one process have said so far: a pure fold over them.
 */
import type { Mark } from './mark.js'

// ------------------------------------------------------------------------------------------ model

/** A command that was seen starting. */
export interface RunningCommand {
  /** Absent: the shell keeps this line out of its history, so it is kept out of ours. */
  readonly line?: string
  readonly startedAtMs: number
}

export interface Dialogue {
  /** The last of the three that was seen. */
  readonly mark: 'prompt' | 'continuation' | 'command' | undefined
  readonly running: RunningCommand | undefined
  /** How often a command was seen starting, and the line of the last, as the shell told it. */
  readonly starts: number
  readonly startedLine: string | undefined
  readonly prompts: number
  /** How often an exit code was told: before each prompt, while the integration is whole. */
  readonly exitsTold: number
  /** How many commands ended without their exit code being told. */
  readonly exitsUntold: number
  /** The highest count an answer of the bound key carried. */
  readonly answers: number
  /** How often the second key was answered: each time the line editor was empty afterwards. */
  readonly setAsides: number
  readonly lastExitCode: number | undefined
  readonly lastPromptAtMs: number | undefined
  readonly lastSuccessAtMs: number | undefined
  readonly workingDirectory: string | undefined
  readonly environment: ReadonlyMap<string, string> | undefined
  readonly unreadable: readonly string[]
  readonly nextHistoryNumber: number
  readonly historyListing: string | undefined
  /** What the last mark of the kind `shell-state` carried, unread. */
  readonly shellState: string | undefined
}

// ----------------------------------------------------------------------------------- constructors

export const silent: Dialogue = {
  mark: undefined,
  running: undefined,
  starts: 0,
  startedLine: undefined,
  prompts: 0,
  exitsTold: 0,
  exitsUntold: 0,
  answers: 0,
  setAsides: 0,
  lastExitCode: undefined,
  lastPromptAtMs: undefined,
  lastSuccessAtMs: undefined,
  workingDirectory: undefined,
  environment: undefined,
  unreadable: [],
  nextHistoryNumber: 0,
  historyListing: undefined,
  shellState: undefined,
}

// ------------------------------------------------------------------------------------ combinators

/** The dialogue after one more mark. */
export const afterMark = (before: Dialogue, mark: Mark, nowMs: number): Dialogue => {
  switch (mark._tag) {
    case 'started': {
      // The history did not grow: what it lists last is an older line.
      const kept = mark.line !== '' && mark.historyNumber >= before.nextHistoryNumber
      return {
        ...before,
        mark: 'command',
        starts: before.starts + 1,
        startedLine: kept ? mark.line : undefined,
        running: { startedAtMs: nowMs, ...(kept ? { line: mark.line } : {}) },
      }
    }
    case 'finished':
      return afterFinished(afterState(before, mark), mark.exitCode, nowMs)
    case 'state':
      return afterState(before, mark)
    case 'environment':
      return { ...before, environment: mark.values, unreadable: mark.unreadable }
    case 'prompt': {
      const shown = {
        ...before,
        mark: 'prompt' as const,
        prompts: before.prompts + 1,
        lastPromptAtMs: nowMs,
      }
      // The hook that tells exit codes was taken out: the command ended, how is not known.
      return before.running === undefined
        ? shown
        : { ...shown, running: undefined, exitsUntold: before.exitsUntold + 1 }
    }
    case 'continuation':
      return { ...before, mark: 'continuation' }
    case 'answer':
      return { ...afterAnswer(before), answers: Math.max(before.answers, mark.count) }
    case 'set-aside':
      return { ...before, setAsides: before.setAsides + 1 }
    case 'history':
      return { ...before, historyListing: mark.listing }
    case 'shell-state':
      return { ...before, shellState: mark.payload }
  }
}

// The key is bound in the line editor alone. Of a shell that was attached to this is the first that is
// known: what ran has ended unseen.
const afterAnswer = (before: Dialogue): Dialogue => {
  if (before.mark !== undefined) return before
  const exitsUntold = before.exitsUntold + (before.running === undefined ? 0 : 1)
  return { ...before, mark: 'prompt', running: undefined, exitsUntold }
}

type State = Extract<Mark, { readonly _tag: 'state' | 'finished' }>

const afterState = (before: Dialogue, mark: State): Dialogue => ({
  ...before,
  workingDirectory: mark.workingDirectory === '' ? undefined : mark.workingDirectory,
  nextHistoryNumber: mark.historyNumber,
})

const afterFinished = (before: Dialogue, exitCode: number, nowMs: number): Dialogue => {
  const told = { ...before, lastExitCode: exitCode, exitsTold: before.exitsTold + 1 }
  if (before.running === undefined) return told
  return { ...told, running: undefined, ...(exitCode === 0 ? { lastSuccessAtMs: nowMs } : {}) }
}
