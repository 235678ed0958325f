/**
 * A row of the drill: one subject, one fault, one strategy, and what must come of it.
 */
import type { Miss, ReceiptItemName, RecoveryStrategy } from '@session-recovery/core'
import { receiptItems, recoveryStrategies } from '@session-recovery/core'
import type { Fault } from './fault.js'
import { givesMarks, isRemote, type Subject } from './subject.js'

// ------------------------------------------------------------------------------------------ model

export interface Row {
  readonly subject: Subject
  readonly fault: Fault
  readonly strategy: RecoveryStrategy
}

/** What must come of a row; anything else is a miss. */
export interface Expectation {
  readonly ends: 'recovered' | 'exhausted'
  /** How the strategy itself must end; of the last resort nothing is asked but its archive. */
  readonly outcome: 'done' | Miss['why'] | 'archived'
  /**
   * The process afterwards: the same, a new one, one of a replica beside it, none; `any`: a server that
   * has not noticed yet that a connection is lost keeps what runs on it.
   */
  readonly process: 'same' | 'new' | 'replica' | 'none' | 'any'
  /** What the receipt must call restored; of a living process all that is known of it. */
  readonly items: readonly ReceiptItemName[]
  /** It is back, but what it was at it still is: it cannot be asked. */
  readonly busy: boolean
  /** The old process cannot be reached to be ended: it may live on. */
  readonly beyondReach: boolean
  /** How often the script must have been begun when all is over. */
  readonly timesBegun: number
}

// ------------------------------------------------------------------------------------ combinators

/** Every row there is for a subject and a fault. */
export const rowsOf = (subject: Subject, fault: Fault): readonly Row[] =>
  fault.fits(subject) && (subject.faults?.includes(fault.name) ?? true)
    ? recoveryStrategies
        .filter((strategy) => !ofLivingShell.has(strategy) || !isOfConnection(subject))
        .map((strategy) => ({ subject, fault, strategy }))
    : []

// A keeper of connections has no part in these: what is drilled with one is so with all.
const ofLivingShell: ReadonlySet<RecoveryStrategy> = new Set([
  'prompt-interrupt',
  'prompt-reset',
  'session-refresh',
  'command-retry',
])
const isOfConnection = ({ keeper }: Subject): boolean => keeper !== undefined && keeper !== 'dtach'

/** What a row is called. */
export const rowName = ({ subject, fault, strategy }: Row): string =>
  `${subject.name} ${fault.name} ${strategy}`

const respawned: readonly ReceiptItemName[] = ['process', 'cwd', 'env']
const shown: readonly ReceiptItemName[] = [...respawned, 'screen']
/** All but what ran. */
const wholeState: readonly ReceiptItemName[] = receiptItems.filter((item) => item !== 'jobs')

/** What must come of a row on this machine. */
export const expectationOf = (row: Row): Expectation => {
  const { fault } = row
  const begun = fault.hold === undefined ? 0 : 1
  const way = ways[row.strategy](row)
  const isOver = survives(row) ? 'same' : fault.leaves === 'cut-off' ? 'any' : 'none'
  // The server is back when an attempt has failed; what gives up before leaves it as it is.
  const isShut = fault.closed === true || fault.relent !== undefined
  const beyondReach = fault.leaves === 'cut-off' && isShut && survives(row)
  return way === 'new' || way === 'replica' || way === 'same'
    ? {
        ends: 'recovered',
        outcome: 'done',
        process: way,
        items: itemsOf(row, way),
        beyondReach: survives(row) && fault.pool === true,
        busy: row.strategy === 'reconnect' && isUnfinished(row),
        timesBegun: begun + (row.strategy === 'command-retry' && begun > 0 ? 1 : 0),
      }
    : {
        ends: 'exhausted',
        outcome: way,
        process: isOver,
        items: [],
        busy: false,
        beyondReach,
        timesBegun: begun,
      }
}

// Without a keeper a shell ends with its connection.
const survives = ({ subject, fault: { leaves } }: Row): boolean =>
  leaves === 'cut-off' ? subject.keeper !== 'none' : leaves !== 'dead'

type Way = 'same' | 'new' | 'replica' | Miss['why'] | 'archived'

const isUnfinished = ({ fault: { leaves } }: Row): boolean =>
  leaves === 'waiting' || leaves === 'unfinished'

// What these start anew has directory and environment, and no more.
const partial: ReadonlySet<RecoveryStrategy> = new Set(['restart', 'session-refresh', 'reconnect'])

const itemsOf = (row: Row, way: Way): readonly ReceiptItemName[] => {
  const { subject, strategy } = row
  // A command that was interrupted is lost, and is said to be.
  if (way === 'same') return isUnfinished(row) ? wholeState : receiptItems
  const isWhole = !partial.has(strategy)
  // What it was to connect with again is gone, and is said to be.
  const isAnother = strategy === 'reconnect'
  // What gives no marks tells no history.
  const whole = givesMarks(subject) ? wholeState : shown
  return (isWhole ? whole : respawned)
    .filter((item) => !subject.lacks?.includes(item))
    .filter((item) => item !== 'process' || !isAnother)
}

// What logs in again cannot where the host lets nobody in.
const dialling =
  (way: Way) =>
  ({ fault: { closed } }: Row): Way =>
    closed ? 'failed' : way

const ways: Readonly<Record<RecoveryStrategy, (row: Row) => Way>> = {
  restart: dialling('new'),
  restore: dialling('new'),
  replicate: (row) => (row.fault.pool ? 'replica' : dialling('replica')(row)),
  reconnect: (row) => {
    // On one machine there is no connection that could be lost.
    if (!isRemote(row.subject)) return 'not-applicable'
    if (row.subject.keeper === 'none') return dialling('new')(row)
    // Whoever is attached to again is what it was: gone, or stopped, or not at its prompt.
    if (row.fault.leaves === 'stopped') return 'unproved'
    return row.fault.leaves === 'dead' ? 'failed' : dialling('same')(row)
  },
  migrate: ({ fault: { pool } }) => (pool ? 'new' : 'not-applicable'),
  fallback: () => 'archived',
  'prompt-interrupt': ({ subject, fault: { leaves } }) => {
    if (leaves === 'dead' || leaves === 'cut-off') return 'failed'
    if (leaves === 'disarmed') return 'same'
    // It goes on, but nothing tells that it is well.
    return givesMarks(subject) ? 'same' : 'failed'
  },
  'prompt-reset': ({ fault: { leaves } }) => (leaves === 'disarmed' ? 'same' : 'failed'),
  'session-refresh': (row) => (row.fault.leaves === 'disarmed' ? 'same' : dialling('new')(row)),
  'command-retry': ({ subject, fault }) => {
    if (fault.hold === undefined || !givesMarks(subject)) return 'not-applicable'
    return fault.leaves === 'dead' ? 'new' : 'same'
  },
}
