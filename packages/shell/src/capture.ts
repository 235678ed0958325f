/**
 * Captures: what of a session is to be kept, and what stands in its foreground.
 *
 * The times are those the trigger rules count from: the prompt since it was shown, a waiting program
 * since it has been waiting and its command late, a command since it is late, a stop since it was seen.
 */
import type { Capture, Clock, InteractiveState, SnapshotUpdate } from '@session-recovery/core'
import { standingOf } from './inheritance.js'
import { type Look, lateAtMs, lookAt } from './looking.js'
import { type Bulk, livingShell, type Session } from './session.js'
import { shellStateOf } from './shell-told.js'
import { runningCommand, unnamedCommand } from './unknown-command.js'

type Dropped = Pick<Required<SnapshotUpdate>, 'droppedOutputBytes' | 'droppedHistoryLines'>

/** Looks at a session and gathers what is known of it. Of a dead one, what it said last. */
export const capture = async (session: Session, clock: Clock): Promise<Capture> => {
  const look = await lookAt(session, clock)
  const dialogue = session.shell?.dialogue()
  const shell = shellStateOf(session)
  const cwd =
    dialogue?.workingDirectory ??
    (await livingShell(session)?.process.surroundings())?.workingDirectory
  return {
    foreground: look.foreground,
    bulkIdentity: bulkOf(session),
    update: {
      ...(dialogue?.environment === undefined
        ? {}
        : { environment: Object.fromEntries(dialogue.environment) }),
      ...(cwd === undefined ? {} : { workingDirectory: cwd }),
      commandHistory: [...session.history],
      outputBuffer: [session.output.text()],
      ...droppedOf(session),
      interactiveState: interactiveState(session, look, clock),
      standing: standingOf(session),
      ...(shell === undefined ? {} : { shell }),
    },
  }
}

const bulkOf = (session: Session): Bulk => {
  const { bulk, history } = session
  const outputChanges = session.output.changes()
  const isAsBefore = bulk.outputChanges === outputChanges && bulk.history === history
  if (!isAsBefore) session.bulk = { outputChanges, history }
  return session.bulk
}

const droppedOf = ({ output, droppedHistoryLines }: Session): Partial<Dropped> => {
  const droppedOutputBytes = output.droppedBytes()
  return {
    ...(droppedOutputBytes === 0 ? {} : { droppedOutputBytes }),
    ...(droppedHistoryLines === 0 ? {} : { droppedHistoryLines }),
  }
}

const promptTypes: Readonly<Record<string, string>> = {
  'at-prompt': 'shell',
  'waiting-for-line': 'line',
  'waiting-for-password': 'password',
  pager: 'pager',
}

const interactiveState = (session: Session, look: Look, clock: Clock): InteractiveState => {
  const dialogue = session.shell?.dialogue()
  const running = runningCommand(session) === undefined ? undefined : dialogue?.running
  const promptType = promptTypes[look.foreground.kind]
  const prompt = promptSinceMs(session, look)
  const unresponsive = unresponsiveSinceMs(session, clock.wallMs())
  return {
    isInteractive: true,
    pendingCommands: running === undefined ? [] : [running.line ?? foremost(look)],
    sessionUnresponsive: unresponsive !== undefined,
    timeoutCount: 0,
    ...(session.unknown.length === 0 ? {} : { unknownCommands: [...session.unknown] }),
    ...(session.setAside.length === 0 ? {} : { setAside: [...session.setAside] }),
    ...(promptType === undefined ? {} : { promptType }),
    ...(prompt === undefined ? {} : { lastPromptDetected: new Date(prompt) }),
    ...(dialogue?.lastSuccessAtMs === undefined
      ? {}
      : { lastSuccessfulCommand: new Date(dialogue.lastSuccessAtMs) }),
    ...(unresponsive === undefined ? {} : { unresponsiveSince: new Date(unresponsive) }),
    // A command waits for its end only once it is late; until then this lies in the future.
    ...(running === undefined
      ? {}
      : {
          pendingSince: new Date(lateAtMs(session) ?? running.startedAtMs),
          runningSince: new Date(running.startedAtMs),
        }),
  }
}

const foremost = ({ sight }: Look): string => {
  const name = sight?.foremost?.name
  return name === undefined || sight?.groupIsShell === true
    ? unnamedCommand
    : `(a command kept out of the history: ${name})`
}

const promptSinceMs = (session: Session, { foreground }: Look): number | undefined => {
  if (session.stoppedSinceMs !== undefined) return session.stoppedSinceMs
  if (session.waitingSinceMs !== undefined) {
    return Math.max(session.waitingSinceMs, lateAtMs(session) ?? 0)
  }
  return foreground.kind === 'at-prompt' ? session.shell?.dialogue().lastPromptAtMs : undefined
}

const unresponsiveSinceMs = (session: Session, nowMs: number): number | undefined => {
  if (session.stoppedSinceMs !== undefined) return session.stoppedSinceMs
  const lateMs = lateAtMs(session)
  if (session.waitingSinceMs === undefined || lateMs === undefined || lateMs > nowMs) {
    return undefined
  }
  return Math.max(lateMs, session.waitingSinceMs)
}
