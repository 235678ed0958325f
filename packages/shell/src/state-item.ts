/**
 * What a receipt says of a shell's state: what the shell before held, beside what the new one tells of
 * itself in its own signed mark.
 */
import {
  lost,
  type ReceiptItem,
  restored,
  type ShellState,
  type ShellStateItem,
  type ShellVariable,
  shellStateItems,
  storedBytes,
  unknown,
} from '@session-recovery/core'
import { unreturnable } from './last-exit.js'
import type { LeftOut } from './restorable.js'

// ------------------------------------------------------------------------------------------ model

/** What a respawn set out to do with the state of the shell before. */
export type StateRespawn =
  | {
      readonly _tag: 'given'
      /** What the shell before held, also what was not given to the new one. */
      readonly wanted: ShellState
      readonly refused: LeftOut
      readonly secretless: LeftOut
    }
  | { readonly _tag: 'left'; readonly detail: string }
  | { readonly _tag: 'unknown'; readonly detail: string }

export type StateItems = Readonly<Record<ShellStateItem, ReceiptItem>>

export interface StateComparison {
  readonly items: StateItems
  /** Bytes of what compared equal. */
  readonly bytes: number
}

// Of each item what can be compared, by name.
type Holding = ReadonlyMap<string, string>

const nouns: Readonly<Record<ShellStateItem, readonly [one: string, many: string]>> = {
  shellVariables: ['variable', 'variables'],
  functions: ['function', 'functions'],
  aliases: ['alias', 'aliases'],
  options: ['option', 'options'],
  umask: ['umask', 'umasks'],
  directoryStack: ['directory', 'directories'],
  traps: ['trap', 'traps'],
  lastExitCode: ['code', 'codes'],
}

// ----------------------------------------------------------------------------------- constructors

/** The same for every item. */
export const everyItem = (item: ReceiptItem): StateItems =>
  Object.fromEntries(shellStateItems.map((name) => [name, item])) as StateItems

const namesShown = 20

/** As many names as a person reads. */
export const listed = (names: readonly string[]): string =>
  names.length <= namesShown
    ? names.join(', ')
    : `${names.slice(0, namesShown).join(', ')} and ${names.length - namesShown} more`

// ------------------------------------------------------------------------------------ combinators

/** Compares what was wanted with what the new shell tells; `undefined`: it told nothing. */
export const comparedState = (
  respawn: StateRespawn,
  is: ShellState | undefined,
): StateComparison => {
  if (respawn._tag === 'left') return { items: everyItem(lost(respawn.detail)), bytes: 0 }
  if (respawn._tag === 'unknown') return { items: everyItem(unknown(respawn.detail)), bytes: 0 }
  if (is === undefined) {
    return { items: everyItem(unknown('the new shell did not tell what it holds')), bytes: 0 }
  }
  let bytes = 0
  const items = shellStateItems.map((item) => {
    const wanted = holding[item](respawn.wanted)
    const told = holding[item](is)
    for (const [name, text] of wanted) {
      if (told.get(name) === text) bytes += storedBytes(name) + storedBytes(text)
    }
    return [item, itemOf(item, wanted, told, respawn)] as const
  })
  return { items: Object.fromEntries(items) as StateItems, bytes }
}

const itemOf = (
  item: ShellStateItem,
  wanted: Holding,
  told: Holding,
  { wanted: state, refused, secretless }: Extract<StateRespawn, { _tag: 'given' }>,
): ReceiptItem => {
  const { omitted } = state
  if (item === 'lastExitCode') return codeItem(state, told)
  const uncaptured = omitted?.[item] ?? []
  // Every shell has these: where none was told, none was captured.
  const isAlways = item === 'options' || item === 'umask'
  if (isAlways && wanted.size === 0) return unknown('the shell before did not tell it')
  const [one, many] = nouns[item]
  const counted = (count: number): string => `${count} ${count === 1 ? one : many}`
  const different = [...wanted.keys()].filter((name) => told.get(name) !== wanted.get(name))
  const isRefused = (name: string) => refused[item]?.includes(name) === true
  const isSecretless = (name: string) => secretless[item]?.includes(name) === true
  const other = different.filter((name) => !isRefused(name) && !isSecretless(name))
  const more = [...told.keys()].filter((name) => !wanted.has(name) && !uncaptured.includes(name))
  const part = (names: readonly string[], what: string): readonly string[] =>
    names.length === 0 ? [] : [`${names.length} ${what}: ${listed(names)}`]
  const detail = [
    `${counted(wanted.size - different.length)} compared equal`,
    ...part(different.filter(isRefused), 'not restored, as they run by themselves'),
    ...part(different.filter(isSecretless), 'whose secret nobody has'),
    ...part(other, 'other than before'),
    ...part(uncaptured, 'not captured, being too large or no text'),
    ...part(more, 'more by its start-up files'),
  ].join('; ')
  return different.length + uncaptured.length === 0 ? restored(detail) : lost(detail)
}

const codeItem = (wanted: ShellState, told: Holding): ReceiptItem => {
  const { lastExitCode: was } = wanted
  const [is = ''] = told.values()
  if (is === String(was)) return restored(`it is ${was}`)
  const why = unreturnable(wanted)
  return lost(`it is ${is}, it was ${was}${why === undefined ? '' : `: ${why}`}`)
}

const entries = (record: Readonly<Record<string, string>>): Holding =>
  new Map(Object.entries(record))

const holding: Readonly<Record<ShellStateItem, (state: ShellState) => Holding>> = {
  shellVariables: ({ variables }) =>
    new Map(Object.entries(variables).map(([name, variable]) => [name, shown(variable)])),
  functions: ({ functions }) => entries(functions),
  aliases: ({ aliases }) => entries(aliases),
  options: ({ options }) =>
    new Map(Object.entries(options).map(([name, on]) => [name, on ? 'on' : 'off'])),
  umask: ({ umask }) => (umask === '' ? new Map() : new Map([['umask', umask]])),
  directoryStack: ({ directoryStack }) =>
    new Map(directoryStack.map((path, i) => [String(i + 1), path])),
  traps: ({ traps }) => entries(traps),
  lastExitCode: ({ lastExitCode }) => new Map([['last exit code', String(lastExitCode)]]),
}

const shown = ({ attributes, value, values }: ShellVariable): string =>
  JSON.stringify([
    [...attributes].sort().join(''),
    value ?? null,
    values === undefined ? null : Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)),
  ])
