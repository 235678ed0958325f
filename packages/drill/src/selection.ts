/**
 * Which rows are played: all, or those that were asked for by name.
 */

import { recoveryStrategies } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { localFaults } from './fault.js'
import { remoteFaults } from './remote-fault.js'
import { type Row, rowsOf } from './row.js'
import { subjects } from './subject.js'

// ------------------------------------------------------------------------------------------ model

/** What was asked for; an empty list asks for all there are. */
export interface Wish {
  readonly shells: readonly string[]
  readonly faults: readonly string[]
  readonly strategies: readonly string[]
}

/** A name that nothing has, and the names there are. */
export interface UnknownName {
  readonly _tag: 'UnknownName'
  readonly message: string
}

// ------------------------------------------------------------------------------------ combinators

/** Every row there is. */
export const allRows: readonly Row[] = subjects.flatMap((subject) =>
  [...localFaults, ...remoteFaults].flatMap((fault) => rowsOf(subject, fault)),
)

/** The rows that were asked for, or the first name that is not known. */
export const rowsFor = (wish: Wish): E.Either<UnknownName, readonly Row[]> => {
  const problem =
    unknownIn(
      'shell',
      wish.shells,
      names((row) => row.subject.name),
    ) ??
    unknownIn(
      'fault',
      wish.faults,
      names((row) => row.fault.name),
    ) ??
    unknownIn('strategy', wish.strategies, recoveryStrategies)
  if (problem !== undefined) return E.left({ _tag: 'UnknownName', message: problem })
  const rows = allRows.filter(
    ({ subject, fault, strategy }) =>
      wanted(wish.shells, subject.name) &&
      wanted(wish.faults, fault.name) &&
      wanted(wish.strategies, strategy),
  )
  return rows.length > 0
    ? E.right(rows)
    : E.left({ _tag: 'UnknownName', message: 'no row has all that was asked for' })
}

/** The row with these names; there must be one. */
export const rowNamed = (shell: string, fault: string, strategy: string): Row => {
  const row = allRows.find(
    (one) => one.subject.name === shell && one.fault.name === fault && one.strategy === strategy,
  )
  if (row === undefined) throw new Error(`there is no row ${shell} ${fault} ${strategy}`)
  return row
}

const names = (of: (row: Row) => string): readonly string[] => [...new Set(allRows.map(of))]

const wanted = (asked: readonly string[], name: string): boolean =>
  asked.length === 0 || asked.includes(name)

const unknownIn = (
  what: string,
  asked: readonly string[],
  known: readonly string[],
): string | undefined => {
  const first = asked.find((name) => !known.includes(name))
  return first === undefined
    ? undefined
    : `there is no ${what} ${JSON.stringify(first)}; there are ${known.join(', ')}`
}
