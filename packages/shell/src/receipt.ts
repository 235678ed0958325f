/**
 * Receipts: what a recovery brought back, item by item. Each `restored` was compared with what the
 * process itself says in its signed marks, or the kernel of it; nothing is assumed.
 */
import {
  type Evidence,
  lost,
  type Receipt,
  type ReceiptItem,
  type ReceiptItemName,
  receiptOf,
  restored,
  storedBytes,
  unknown,
} from '@session-recovery/core'
import { type Comparison, compared, type Origin, unforeseen } from './environment.js'
import type { ProcessIdentity } from './host.js'
import { screenOf } from './screen.js'
import type { Respawn, Session } from './session.js'
import { asideText } from './set-aside.js'
import type { Shell } from './shell.js'
import { shellStateOf } from './shell-told.js'
import { comparedState, everyItem, listed } from './state-item.js'
import { lostInputText } from './type-ahead.js'

type Items = Partial<Record<ReceiptItemName, ReceiptItem>>

/** An observation of ours, made at `atMs`. */
export const observed = (source: Evidence['source'], detail: string, atMs: number): Evidence => ({
  source,
  grade: 'observed',
  trusted: true,
  detail,
  atMs,
})

/** A process as a person reads it. */
export const described = ({ pid, startTicks, bootId }: ProcessIdentity): string =>
  startTicks === undefined
    ? `process ${pid}`
    : `process ${pid}, started at tick ${startTicks} of boot ${bootId ?? 'unknown'}`

// ------------------------------------------------------------------------------------ new process

/** The receipt for a process that was started anew and has proved that it lives. */
export const respawnReceipt = async (
  session: Session,
  respawn: Respawn,
  evidence: readonly Evidence[],
): Promise<Receipt> => {
  const { shell } = respawn
  const now = await stateOf(shell)
  const comparison = compared(respawn.environment, now.environment ?? new Map())
  const cwd = cwdItem(respawn, now.workingDirectory)
  const history = historyItem(session, respawn)
  const screen = await screenItem(session, respawn)
  const state = comparedState(respawn.state, shellStateOf(session))
  const items: Items = {
    process: restored(
      [
        `a new process on ${session.host.name} answers: ${described(shell.process.identity)}`,
        ...(session.deed.remarks ?? []),
      ].join('; '),
    ),
    cwd,
    env:
      now.environment === undefined
        ? unknown('the environment of the process cannot be read')
        : envItem(respawn, comparison, now.environment),
    ...state.items,
    history,
    screen,
    jobs: jobsItem(session, respawn),
  }
  const bytes =
    (cwd.status === 'restored' ? storedBytes(respawn.wantedCwd) : 0) +
    state.bytes +
    bytesOf(comparison.equal.map((name) => `${name}=${respawn.environment[name] ?? ''}`)) +
    (history.status === 'restored' ? bytesOf(respawn.historyLines) : 0) +
    (screen.status === 'restored' ? bytesOf(respawn.screenLines ?? []) : 0)
  return receiptOf('observed', items, evidence, bytes)
}

const bytesOf = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + storedBytes(text), 0)

interface State {
  readonly workingDirectory: string | undefined
  readonly environment: ReadonlyMap<string, string> | undefined
}

const stateOf = async ({ shows, dialogue, process }: Shell): Promise<State> => {
  if (shows.environment === 'mark') return dialogue()
  const { workingDirectory, environment } = await process.surroundings()
  return {
    workingDirectory,
    environment: environment === undefined ? undefined : new Map(Object.entries(environment)),
  }
}

const cwdItem = (respawn: Respawn, is: string | undefined): ReceiptItem => {
  if (is === undefined) return unknown('the directory of the process cannot be read')
  if (respawn.cwdUnknown) return unknown(`no directory was kept; the process is in ${is}`)
  return is === respawn.wantedCwd
    ? restored(`the process is in ${is}`)
    : lost(`the process is in ${is}, not in ${respawn.wantedCwd}`)
}

const envItem = (
  { environment, refused, origins, lostVariables, isSilentShell }: Respawn,
  { equal, different }: Comparison,
  is: ReadonlyMap<string, string>,
): ReceiptItem => {
  const missing = Object.keys(refused).filter((name) => is.get(name) !== refused[name])
  const more = unforeseen(environment, is)
  const parts = [
    `${counted(equal.length, 'variable')} compared equal`,
    ...(missing.length === 0
      ? []
      : [`${missing.length} not restored, as they can run code: ${listed(missing)}`]),
    ...(different.length === 0
      ? []
      : [`${different.length} other than before: ${listed(different)}`]),
    ...(lostVariables.length === 0
      ? []
      : [`${lostVariables.length} whose secret nobody has: ${listed(lostVariables)}`]),
    ...(more.length === 0 ? [] : [`${more.length} more by its start-up files: ${listed(more)}`]),
  ]
  const stale = Object.keys(origins).filter((name) => origins[name] === 'volatile')
  const detail = [
    ...parts,
    ...(stale.length === 0 ? [] : [`${stale.length} of a moment that is past: ${listed(stale)}`]),
  ].join('; ')
  const item =
    different.length + lostVariables.length > 0
      ? lost(detail)
      : isSilentShell
        ? unknown(`${detail}; what was exported in it nobody told`)
        : restored(detail)
  const made: Readonly<Record<string, Origin>> = Object.fromEntries([
    ...more.map((name) => [name, 'start-up files']),
    ...different.map((name) => [name, is.has(name) ? 'start-up files' : 'lost']),
  ])
  return { ...item, origins: mostTelling({ ...origins, ...made }) }
}

const originsShown = 256

// What did not come from the snapshot says more.
const mostTelling = (
  origins: Readonly<Record<string, Origin>>,
): Readonly<Record<string, Origin>> => {
  const all = Object.entries(origins)
  const isPlain = ([, origin]: readonly [string, Origin]) => origin === 'snapshot'
  const sorted = [...all.filter((entry) => !isPlain(entry)), ...all.filter(isPlain)]
  return Object.fromEntries(sorted.slice(0, originsShown))
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

const historyItem = (
  { droppedHistoryLines: dropped }: Session,
  { shell, historyLines, redactedLines }: Respawn,
): ReceiptItem => {
  const leftOut = [
    redactedLines === 0 ? '' : `; left out for their secrets: ${redactedLines}`,
    dropped === 0 ? '' : `; ${counted(dropped, 'older line')} were dropped before`,
  ].join('')
  if (shell.shows.history === 'nobody') return unknown('the program does not tell its history')
  if (historyLines.length === 0) return lost(`no line was put back${leftOut}`)
  const listing = shell.dialogue().historyListing
  if (listing === undefined) return unknown('the shell did not list its history')
  const first = Number(/^ *(\d+)/.exec(listing)?.[1] ?? Number.NaN)
  const expected = historyLines
    .map((line, i) => `${String(first + i).padStart(5)}  ${line}`)
    .join('\n')
  return listing === expected.replace(/\n+$/, '')
    ? restored(`${counted(historyLines.length, 'line')} compared equal${leftOut}`)
    : lost(`the shell lists other lines than the ${historyLines.length} put back${leftOut}`)
}

const screenItem = async (session: Session, { screenLines }: Respawn): Promise<ReceiptItem> => {
  if (screenLines === undefined) return lost('the screen was not brought back')
  if (screenLines.length === 0) return unknown('nothing was kept of what the screen showed')
  const { lines } = await screenOf(session.output.text(), session.size)
  const dropped = session.output.droppedBytes()
  const bound = dropped === 0 ? '' : `; ${dropped} bytes of older output were dropped before`
  const equal = screenLines.every((line, i) => lines[i] === line)
  return equal
    ? restored(`${counted(screenLines.length, 'line')} compared equal${bound}`)
    : lost(`the ${screenLines.length} lines shown before are not all on the screen${bound}`)
}

const jobsItem = (
  { unknown, setAside }: Session,
  { leftover, isSilentShell, lostInput }: Respawn,
): ReceiptItem => {
  const parts = [
    ...unknownText(unknown),
    ...asideText(setAside),
    ...lostInputText(lostInput),
    ...(isSilentShell ? ['what ran in it nobody told'] : []),
    ...(leftover.unseen === true ? ['what it left behind its host does not show'] : []),
    ...(leftover.ended.length === 0 ? [] : [`ended: ${leftover.ended.join(', ')}`]),
    ...(leftover.letBe.length === 0
      ? []
      : [`running on without a shell, as they ignore a hang-up: ${leftover.letBe.join(', ')}`]),
  ]
  return {
    ...lost(parts.length === 0 ? 'jobs ended with the old process' : parts.join('; ')),
    ...namedIn(unknown, setAside),
  }
}

const namedIn = (
  unknown: readonly string[],
  setAside: readonly string[],
): Pick<ReceiptItem, 'unknownCommands' | 'setAside'> => ({
  ...(unknown.length === 0 ? {} : { unknownCommands: [...unknown] }),
  ...(setAside.length === 0 ? {} : { setAside: [...setAside] }),
})

const unknownText = (lines: readonly string[]): readonly string[] =>
  lines.length === 0
    ? []
    : [`of these commands the outcome is unknown, they are not run again: ${lines.join('; ')}`]

// --------------------------------------------------------------------------------- living process

/** The receipt for a process that lived on and has proved it. */
export const livingReceipt = (
  session: Session,
  shell: Shell,
  evidence: readonly Evidence[],
): Receipt => {
  const { workingDirectory, environment } = shell.dialogue()
  const same = 'the same process'
  return receiptOf(
    'observed',
    {
      process: restored(`${same} answers: ${described(shell.process.identity)}`),
      cwd:
        workingDirectory === undefined
          ? unknown(`${same}; its directory was not said`)
          : restored(`${same}, in ${workingDirectory}`),
      env:
        environment === undefined
          ? unknown(`${same}; its environment was not said`)
          : restored(`${same}, with ${counted(environment.size, 'exported variable')}`),
      ...everyItem(restored(same)),
      history: restored(same),
      screen: restored('the same terminal'),
      jobs: livingJobs(session, same),
    },
    evidence,
  )
}

const livingJobs = ({ interrupted, unknown, setAside }: Session, same: string): ReceiptItem => {
  const parts = [
    ...(interrupted === undefined ? [] : [`interrupted, and not run again: ${interrupted}`]),
    ...unknownText(unknown),
  ]
  const all = [...parts, ...asideText(setAside)]
  return {
    // What was set aside is not lost: it is named here.
    ...(parts.length === 0 ? restored([same, ...all].join('; ')) : lost(all.join('; '))),
    ...namedIn(unknown, setAside),
  }
}
