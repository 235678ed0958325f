/**
 * What is kept of a session so that it can be brought back: the seed's `RecoverySnapshot`, what may be
 * changed in it from outside, and the small view of it that planning needs.
 */
import * as t from 'io-ts'
import { applicationJson } from './application-json.js'
import { count, dictionary, epochMs, instant, struct } from './codec.js'
import { without } from './omission.js'
import { ShellState } from './shell-state.js'

// ------------------------------------------------------------------------------------------ model

const anyTexts = t.array(t.string)

// Place by place: what a list leaves out is no text.
const isTexts = (u: unknown): u is string[] => {
  if (!Array.isArray(u)) return false
  for (let i = 0; i < u.length; i++) if (typeof u[i] !== 'string') return false
  return true
}

/** A list of texts, however long: each is looked at once. */
const texts: t.ArrayType<t.StringC, string[], string[], unknown> = new t.ArrayType(
  anyTexts.name,
  isTexts,
  (u, c) => (isTexts(u) ? t.success(u) : anyTexts.validate(u, c)),
  anyTexts.encode,
  t.string,
)

/**
 * What is known about the dialogue with a session.
 *
 * The seed's fields, and two it lacked: since when the session does not answer, and since when the
 * pending commands wait. Without those two its ages were counted from an unrelated moment.
 */
export const InteractiveState = struct(
  'interactive state',
  {
    isInteractive: t.boolean,
    pendingCommands: t.array(t.string),
    sessionUnresponsive: t.boolean,
    timeoutCount: count,
  },
  {
    promptType: t.string,
    lastPromptDetected: instant,
    lastSuccessfulCommand: instant,
    unresponsiveSince: instant,
    /** When the command that runs is late, or since when it runs where nobody knows how long it may take. */
    pendingSince: instant,
    /** Since when the command that is pending runs. */
    runningSince: instant,
    /**
     * Commands that were seen starting and not finishing, oldest first: whether they did their work is
     * not known. They stay until somebody settles them.
     */
    unknownCommands: t.array(t.string),
    /**
     * Lines that stood half typed at the prompt and were taken out, oldest first. None was run. They stay
     * until somebody settles them.
     */
    setAside: t.array(t.string),
  },
)
export type InteractiveState = t.TypeOf<typeof InteractiveState>

export const ErrorContext = struct('error context', {
  lastError: t.string,
  errorTimestamp: instant,
  errorCount: count,
})
export type ErrorContext = t.TypeOf<typeof ErrorContext>

/** One process, not to be mixed up with a later one of the same number. */
const ProcessName = struct('process name', { pid: count }, { startTicks: count, bootId: t.string })

/**
 * Where a session stands, and what of it goes on there without us. Nothing by which its words could be
 * trusted: what signs them is never stored.
 */
export const Standing = struct(
  'standing',
  {
    /** The name of the host. */
    place: t.string,
  },
  { kept: struct('kept process', { name: t.string, identity: ProcessName }) },
)
export type Standing = t.TypeOf<typeof Standing>

// What was kept before it was counted has neither: then nobody knows of any.
const dropped = {
  /** How much older output, in bytes of UTF-8, was let go to stay in bounds, by whoever kept it. */
  droppedOutputBytes: count,
  /** How many older lines of the history. */
  droppedHistoryLines: count,
} as const

/** All that is needed to bring a session back. `workingDirectory` is empty when it is not known. */
export const RecoverySnapshot = struct(
  'recovery snapshot',
  {
    sessionId: t.string,
    timestamp: instant,
    sessionState: applicationJson,
    sessionOptions: applicationJson,
    environment: dictionary('environment', t.string),
    workingDirectory: t.string,
    commandHistory: texts,
    outputBuffer: texts,
  },
  {
    errorContext: ErrorContext,
    interactiveState: InteractiveState,
    shell: ShellState,
    standing: Standing,
    ...dropped,
  },
)
export type RecoverySnapshot = t.TypeOf<typeof RecoverySnapshot>

/** The fields of a snapshot that an app or a driver may change. */
export const SnapshotUpdate = struct(
  'snapshot update',
  {},
  {
    sessionState: applicationJson,
    environment: dictionary('environment', t.string),
    workingDirectory: t.string,
    commandHistory: texts,
    outputBuffer: texts,
    errorContext: ErrorContext,
    interactiveState: InteractiveState,
    shell: ShellState,
    standing: Standing,
    ...dropped,
  },
)
export type SnapshotUpdate = t.TypeOf<typeof SnapshotUpdate>

/** A snapshot's place in the sequence of a session's snapshots, and what planning needs of it. */
export const PlanningView = struct(
  'planning view',
  {
    /** 0 before anything was kept; each kept snapshot has the next number. */
    generation: count,
    capturedAtMs: epochMs,
  },
  { interactive: InteractiveState },
)
export type PlanningView = t.TypeOf<typeof PlanningView>

/** Bounds on what is kept; what is cut is counted in the snapshot. */
export interface SnapshotLimit {
  readonly historyLines: number
  readonly outputBytes: number
}

// ----------------------------------------------------------------------------------- constructors

/** An interactive state about which nothing is known yet. */
export const emptyInteractiveState: InteractiveState = {
  isInteractive: false,
  pendingCommands: [],
  sessionUnresponsive: false,
  timeoutCount: 0,
}

// ------------------------------------------------------------------------------------ combinators

/**
 * `base` with every field that `update` defines; a field that is `undefined` changes nothing. What was
 * dropped of an output, or a history, that is replaced, is no more of a matter than the rest of it.
 */
export const withUpdate = (
  base: RecoverySnapshot,
  update: SnapshotUpdate,
  timestamp: Date,
): RecoverySnapshot => ({
  ...without(base, ...outdatedBy(update)),
  ...defined(update),
  timestamp,
})

/** One update for two: what `earlier` and then `later` make of a snapshot. */
export const joinedUpdate = (earlier: SnapshotUpdate, later: SnapshotUpdate): SnapshotUpdate => ({
  ...without(earlier, ...outdatedBy(later)),
  ...defined(later),
})

const outdatedBy = ({ outputBuffer, commandHistory }: SnapshotUpdate) => [
  ...(outputBuffer === undefined ? [] : (['droppedOutputBytes'] as const)),
  ...(commandHistory === undefined ? [] : (['droppedHistoryLines'] as const)),
]

const defined = (update: SnapshotUpdate): SnapshotUpdate => {
  const keys = Object.keys(update) as (keyof SnapshotUpdate)[]
  return without(update, ...keys.filter((key) => update[key] === undefined))
}

/** What planning needs of `snapshot`: at most 16 commands of a kind, no text over 1,024 characters. */
export const planningView = (snapshot: RecoverySnapshot, generation: number): PlanningView => ({
  generation,
  capturedAtMs: snapshot.timestamp.getTime(),
  ...(snapshot.interactiveState === undefined
    ? {}
    : { interactive: boundedInteractive(snapshot.interactiveState) }),
})

const boundedInteractive = (state: InteractiveState): InteractiveState => ({
  ...state,
  ...(state.promptType === undefined ? {} : { promptType: state.promptType.slice(0, 1024) }),
  pendingCommands: firstCommands(state.pendingCommands),
  ...(state.unknownCommands === undefined
    ? {}
    : { unknownCommands: firstCommands(state.unknownCommands) }),
  ...(state.setAside === undefined ? {} : { setAside: firstCommands(state.setAside) }),
})

const firstCommands = (commands: readonly string[]): string[] =>
  commands.slice(0, 16).map((command) => command.slice(0, 1024))

/**
 * `snapshot` cut to `limit`: the newest history lines and the newest output are kept, what is cut is added
 * to what was dropped before.
 */
export const bounded = (snapshot: RecoverySnapshot, limit: SnapshotLimit): RecoverySnapshot => {
  const { droppedOutputBytes = 0, droppedHistoryLines = 0 } = snapshot
  const commandHistory = snapshot.commandHistory.slice(
    -limit.historyLines || snapshot.commandHistory.length,
  )
  const outputBuffer = fitting(snapshot.outputBuffer, limit.outputBytes)
  const isWhole = outputBuffer === snapshot.outputBuffer
  const cutBytes = isWhole ? 0 : bytesOf(snapshot.outputBuffer) - bytesOf(outputBuffer)
  const outputBytes = counted(droppedOutputBytes + cutBytes)
  const cutLines = snapshot.commandHistory.length - commandHistory.length
  const historyLines = counted(droppedHistoryLines + cutLines)
  return {
    ...snapshot,
    commandHistory,
    outputBuffer,
    ...(outputBytes === 0 ? {} : { droppedOutputBytes: outputBytes }),
    ...(historyLines === 0 ? {} : { droppedHistoryLines: historyLines }),
  }
}

// More than this no count can say.
const counted = (sum: number): number => Math.min(sum, Number.MAX_SAFE_INTEGER)

const bytesOf = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + storedBytes(text), 0)

/** What of the output fits: most is far from the limit, and needs no count of its bytes. */
const fitting = (lines: string[], limitBytes: number): string[] => {
  const characters = lines.reduce((sum, line) => sum + line.length, 0)
  const fits = characters * mostBytesOfOne <= limitBytes || bytesOf(lines) <= limitBytes
  return fits ? lines : newest(lines, limitBytes)
}

/** As many as a character of a text takes in UTF-8; what takes four are two of them. */
const mostBytesOfOne = 3

const newest = (lines: readonly string[], limitBytes: number): string[] => {
  const kept: string[] = []
  let leftBytes = limitBytes
  for (let i = lines.length - 1; i >= 0 && leftBytes > 0; i--) {
    const line = lines[i] ?? ''
    const whole = storedBytes(line) <= leftBytes
    const part = whole ? line : endOf(line, leftBytes)
    if (whole || part !== '') kept.push(part)
    leftBytes = whole ? leftBytes - storedBytes(line) : 0
  }
  return kept.reverse()
}

/** The longest end of `line` that takes at most `limitBytes`; no character is cut in two. */
const endOf = (line: string, limitBytes: number): string => {
  let start = line.length
  for (let bytes = 0; start > 0; ) {
    const low = line.charCodeAt(start - 1)
    const pair = (low & 0xfc00) === 0xdc00 && (line.charCodeAt(start - 2) & 0xfc00) === 0xd800
    bytes += pair ? 4 : low < 0x80 ? 1 : low < 0x800 ? 2 : 3
    if (bytes > limitBytes) break
    start -= pair ? 2 : 1
  }
  return line.slice(start)
}

const ascii = /^[\0-\x7f]*$/

/** The size of `value` in UTF-8, in bytes. */
export const storedBytes = (value: string): number => {
  if (ascii.test(value)) return value.length
  let bytes = 0
  for (const character of value) {
    const point = character.codePointAt(0) ?? 0
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
  }
  return bytes
}
