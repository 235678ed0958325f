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
  /** The last of the two that was seen. */
  readonly mark: 'prompt' | 'command' | undefined
  readonly running: RunningCommand | undefined
  readonly started: number
  readonly finished: number
  readonly prompts: number
  /** The highest count an answer of the bound key carried. */
  readonly answers: number
  readonly lastExitCode: number | undefined
  readonly lastPromptAtMs: number | undefined
  readonly lastSuccessAtMs: number | undefined
  readonly workingDirectory: string | undefined
  readonly environment: ReadonlyMap<string, string> | undefined
  readonly unreadable: readonly string[]
  readonly nextHistoryNumber: number
  readonly historyListing: string | undefined
}

// ----------------------------------------------------------------------------------- constructors

export const silent: Dialogue = {
  mark: undefined,
  running: undefined,
  started: 0,
  finished: 0,
  prompts: 0,
  answers: 0,
  lastExitCode: undefined,
  lastPromptAtMs: undefined,
  lastSuccessAtMs: undefined,
  workingDirectory: undefined,
  environment: undefined,
  unreadable: [],
  nextHistoryNumber: 0,
  historyListing: undefined,
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
        started: before.started + 1,
        running: { startedAtMs: nowMs, ...(kept ? { line: mark.line } : {}) },
      }
    }
    case 'finished':
      return afterFinished(before, mark, nowMs)
    case 'environment':
      return { ...before, environment: mark.values, unreadable: mark.unreadable }
    case 'prompt':
      return { ...before, mark: 'prompt', prompts: before.prompts + 1, lastPromptAtMs: nowMs }
    case 'answer':
      return { ...before, answers: Math.max(before.answers, mark.count) }
    case 'history':
      return { ...before, historyListing: mark.listing }
  }
}

type Finished = Extract<Mark, { readonly _tag: 'finished' }>

const afterFinished = (before: Dialogue, mark: Finished, nowMs: number): Dialogue => {
  const seen = {
    ...before,
    workingDirectory: mark.workingDirectory === '' ? undefined : mark.workingDirectory,
    nextHistoryNumber: mark.historyNumber,
  }
  if (before.running === undefined) return seen
  return {
    ...seen,
    running: undefined,
    finished: before.finished + 1,
    lastExitCode: mark.exitCode,
    ...(mark.exitCode === 0 ? { lastSuccessAtMs: nowMs } : {}),
  }
}
