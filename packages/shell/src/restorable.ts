/**
 * What of a shell's state may be given to a new shell: nothing that runs without being asked for, unless
 * the policy names it, and nothing from which a secret was taken out.
 *
 * A function or an alias runs when somebody calls it: it is a definition, and is given. A trap runs on an
 * event that nobody has to call for, so it is not, but for a trap that is empty: that ignores a signal.
 */
import {
  isSecretReference,
  redactedText,
  type ShellState,
  type ShellStateItem,
  type ShellVariable,
} from '@session-recovery/core'
import { canExecute } from './environment.js'
import type { RunningItem, ShellIntegration } from './integration.js'

// ------------------------------------------------------------------------------------------ model

/** Names that were left out, by item; of directories their places, from 1. */
export type LeftOut = Readonly<Partial<Record<ShellStateItem, readonly string[]>>>

export interface Restorable {
  readonly state: ShellState
  /** What runs without being asked for and is not named in the policy. */
  readonly refused: LeftOut
  /** What held a secret that nobody has any more. */
  readonly secretless: LeftOut
}

/** What decides. */
export interface RestorableBounds {
  readonly integration: Pick<ShellIntegration, 'runsByItself'>
  /** `NAME` of a variable, `function:NAME`, `alias:NAME`, `trap:EVENT`. */
  readonly allowed: readonly string[]
  /** Variables with a secret that could not be resolved. */
  readonly lostVariables: readonly string[]
}

// ------------------------------------------------------------------------------------ combinators

const policyPrefix: Readonly<Record<RunningItem, string>> = {
  shellVariables: '',
  functions: 'function:',
  aliases: 'alias:',
  traps: 'trap:',
}

type Verdict = 'given' | 'refused' | 'secretless'

/** Splits `state` into what is given to a new shell and what is not. */
export const restorable = (
  state: ShellState,
  { integration, allowed, lostVariables }: RestorableBounds,
): Restorable => {
  const refused = new Map<ShellStateItem, string[]>()
  const secretless = new Map<ShellStateItem, string[]>()
  const note = (into: Map<ShellStateItem, string[]>, item: ShellStateItem, name: string): void => {
    into.set(item, [...(into.get(item) ?? []), name])
  }
  const given = <A>(
    item: RunningItem,
    entries: Readonly<Record<string, A>>,
    judge: (value: A, name: string) => Verdict,
  ): Record<string, A> =>
    Object.fromEntries(
      Object.entries(entries).filter(([name, value]) => {
        const verdict = name.includes(redactedText) ? 'secretless' : judge(value, name)
        const named = allowed.includes(policyPrefix[item] + name)
        if (verdict === 'given' || (verdict === 'refused' && named)) return true
        note(verdict === 'refused' ? refused : secretless, item, name)
        return false
      }),
    )
  const text =
    (item: RunningItem, runs: (value: string) => boolean) =>
    (value: string, name: string): Verdict => {
      if (value.includes(redactedText)) return 'secretless'
      return runs(value) || integration.runsByItself(item, name) ? 'refused' : 'given'
    }
  const variable = (value: ShellVariable, name: string): Verdict => {
    if (lostVariables.includes(name) || lacksSecret(value)) return 'secretless'
    const runs = canExecute(name) || integration.runsByItself('shellVariables', name)
    return runs ? 'refused' : 'given'
  }
  const directoryStack = state.directoryStack.filter((path, i) => {
    const isWhole = !path.includes(redactedText)
    if (!isWhole) note(secretless, 'directoryStack', String(i + 1))
    return isWhole
  })
  const kept: ShellState = {
    ...state,
    variables: given('shellVariables', state.variables, variable),
    functions: given(
      'functions',
      state.functions,
      text('functions', () => false),
    ),
    aliases: given(
      'aliases',
      state.aliases,
      text('aliases', () => false),
    ),
    traps: given(
      'traps',
      state.traps,
      text('traps', (command) => command !== ''),
    ),
    directoryStack,
  }
  return {
    state: kept,
    refused: Object.fromEntries(refused),
    secretless: Object.fromEntries(secretless),
  }
}

// An array of which an element is missing would be another array.
const lacksSecret = ({ value, values }: ShellVariable): boolean =>
  [...(value === undefined ? [] : [value]), ...Object.entries(values ?? {}).flat()].some(
    (text) => text.includes(redactedText) || isSecretReference(text),
  )
