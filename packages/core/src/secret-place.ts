/**
 * The places in a snapshot where a secret may stand, and how what stands there is changed: fields of the
 * app's own data, and the variables of a shell.
 */
import type { ShellState, ShellVariable } from './shell-state.js'

// ------------------------------------------------------------------------------------------ model

/** The keys on the way to a value. */
export type Path = readonly string[]

/** Ends the reference to a secret that was a number. */
export const numberSuffix = '#number'

// ------------------------------------------------------------------------------------ combinators

/** The values of a shell's variables, changed text by text; the path is a name, or a name and a key. */
export const withVariables = (
  state: ShellState,
  change: (text: string, path: Path) => string,
  rename?: (name: string) => string,
): ShellState => {
  const changedVariable = ({ attributes, value, values }: ShellVariable, name: string) => ({
    attributes,
    ...(value === undefined ? {} : { value: change(value, [name]) }),
    ...(values === undefined
      ? {}
      : { values: mapped(values, (text, key) => change(text as string, [name, key]), rename) }),
  })
  return {
    ...state,
    variables: mapped(
      state.variables,
      (variable, name) => changedVariable(variable as ShellVariable, name),
      rename,
    ) as Record<string, ShellVariable>,
  }
}

export const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !(value instanceof Date)

export const mapped = (
  from: Readonly<Record<string, unknown>>,
  change: (value: unknown, key: string) => unknown,
  rename?: (key: string) => string,
): Record<string, unknown> => {
  if (rename === undefined) {
    // A copy of the same shape, changed where it must be: every snapshot passes here.
    const copy: Record<string, unknown> = { ...from }
    for (const key of Object.keys(copy)) {
      const item = copy[key]
      const changed = change(item, key)
      if (changed !== item) copy[key] = changed
    }
    return copy
  }
  const into = new Map<string, unknown>()
  for (const [key, item] of Object.entries(from)) {
    const renamed = rename(key)
    // Two that differed by their secrets alone are still two.
    let free = renamed
    for (let number = into.size; into.has(free); number++) free = `${renamed} ${number}`
    into.set(free, change(item, key))
  }
  return Object.fromEntries(into)
}
