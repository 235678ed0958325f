/**
 * What an app gives a driver and asks of a session, looked at before anything is started: what cannot be
 * used is told by its field, never by a value that could be a secret.
 */
import type { StartFailure } from './host.js'

// ------------------------------------------------------------------------------------------ model

/** Whatever stands under the names of options. */
type Given<K extends string> = { readonly [N in K]?: unknown }

const lastTerminalSize = 65_535
const lastNumber = Number.MAX_SAFE_INTEGER

// ------------------------------------------------------------------------------------ combinators

/** A failure that no repetition mends, at `field`. */
export const wrongOption = (field: string, expected: string): StartFailure => ({
  detail: `${field}: expected ${expected}`,
  field,
  permanent: true,
})

/** The first of these numbers that is given and is none from `least` to `most`, whole where that matters. */
export const wrongNumber = (
  given: Readonly<Record<string, unknown>>,
  least = 0,
  most = lastNumber,
): StartFailure | undefined => {
  const isFine = (value: unknown) =>
    value === undefined || (typeof value === 'number' && value >= least && value <= most)
  const wrong = Object.entries(given).find(([, value]) => !isFine(value))
  return wrong && wrongOption(wrong[0], `a number from ${least} to ${most}`)
}

/** What of a driver's options cannot be used. */
export const wrongDriverOption = (
  options: Given<'outputLimitBytes' | 'promptTimeoutMs' | 'nonce'>,
): StartFailure | undefined => {
  const { outputLimitBytes, promptTimeoutMs, nonce } = options
  return nonce !== undefined && typeof nonce !== 'function'
    ? wrongOption('nonce', 'a function')
    : wrongNumber({ outputLimitBytes, promptTimeoutMs })
}

/** What of a session's options cannot be used. */
export const wrongOpenOption = (
  options: Given<'command' | 'args' | 'cwd' | 'env' | 'cols' | 'rows' | 'expectedMs'>,
): StartFailure | undefined => {
  if (typeof options !== 'object' || options === null) return wrongOption('options', 'an object')
  const { command, args, cwd, env, cols, rows, expectedMs } = options
  if (typeof cwd !== 'string') return wrongOption('cwd', 'a path')
  if (command !== undefined && typeof command !== 'string') return wrongOption('command', 'a text')
  if (args !== undefined && !areTexts(args)) return wrongOption('args', 'a list of texts')
  if (typeof env !== 'object' || env === null || !areTexts(Object.values(env))) {
    return wrongOption('env', 'texts under their names')
  }
  return wrongNumber({ cols, rows }, 1, lastTerminalSize) ?? wrongNumber({ expectedMs })
}

const areTexts = (values: unknown): boolean =>
  Array.isArray(values) && values.every((value) => typeof value === 'string')
