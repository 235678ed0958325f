/**
 * Judges what came of a row: against what was expected, and against evidence that owes nothing to the
 * driver: what the kernel shows, what the session itself writes to a file, how often a command was begun.
 */
import { type ReceiptItemName, replicaId } from '@session-recovery/core'
import { replay } from '@session-recovery/engine'
import type { ShellSession } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { timesBegun, toldLines } from './place.js'
import type { Expectation } from './row.js'
import { promptShown, type Stage } from './stage.js'
import { givesMarks, wordOf } from './subject.js'
import type { End, Incident, Watch } from './watch.js'
import { directoryOf, livesOn, until, type Witnessed, witness } from './witness.js'

type Misses = readonly string[]

/** The state of a row between fault and judgement. */
export interface Struck {
  readonly stage: Stage
  readonly watch: Watch
  /** The process before the fault. */
  readonly before: Witnessed
  readonly struckAtMs: number
}

/** What is not as it should be; empty when all is. */
export const judge = async (struck: Struck, wanted: Expectation): Promise<Misses> => {
  const { stage, watch } = struck
  const incident = watch.incident()
  const end = incident.ends[0]
  return [
    ...(incident.ends.length > 1 ? [`${incident.ends.length} ends of one incident`] : []),
    ...(await judgeJournal(stage)),
    ...judgeTried(incident, wanted),
    ...(end === undefined ? ['it has no end'] : await judgeEnd(struck, end, wanted)),
    ...judgeTimes(stage, wanted),
    ...(stage.row.fault.relent !== undefined && wanted.ends === 'recovered' && incident.attempts < 2
      ? ['it was back at the first attempt, which cannot be']
      : []),
  ]
}

const judgeJournal = async ({ engine, place }: Stage): Promise<Misses> => {
  const replayed = replay(await engine.journal(place.id), engine.policy)
  return replayed._tag === 'same' ? [] : [`its journal replays as ${replayed._tag}`]
}

const judgeTried = ({ tried }: Incident, { outcome }: Expectation): Misses => {
  if (outcome === 'archived') return []
  const last = tried.at(-1)
  const was = last?.outcome === 'verified' ? 'done' : last?.outcome
  return was === outcome ? [] : [`the strategy ended ${was ?? 'never'}, not ${outcome}`]
}

const judgeTimes = ({ place }: Stage, wanted: Expectation): Misses => {
  const times = timesBegun(place)
  return times === wanted.timesBegun
    ? []
    : [`the command was begun ${times} times, not ${wanted.timesBegun}`]
}

const judgeEnd = async (struck: Struck, end: End, wanted: Expectation): Promise<Misses> => {
  const { stage, before } = struck
  if (end._tag !== `incident-${wanted.ends}`) {
    return [`it ended ${end._tag.replace('incident-', '')}, not ${wanted.ends}`]
  }
  if (end._tag !== 'incident-recovered') {
    const archive =
      end._tag === 'incident-exhausted' && end.archive !== undefined
        ? await stage.store.readArchive(end.archive)()
        : undefined
    const isBack = archive !== undefined && E.isRight(archive) && archive.right.snapshot !== null
    const isAsItWas = wanted.process === 'any' || livesOn(before) === (wanted.process === 'same')
    return [
      ...(isBack ? [] : ['its archive does not read back']),
      ...(isAsItWas ? [] : [livesOn(before) ? 'its process lives' : 'its process was ended']),
    ]
  }
  const lacking = wanted.items.filter((item) => end.receipt.items[item].status !== 'restored')
  return [
    ...(end.receipt.grade === 'observed' ? [] : [`the proof of life is ${end.receipt.grade}`]),
    ...lacking.map((item: ReceiptItemName) => {
      const { status, detail } = end.receipt.items[item]
      return `${item} is ${status}: ${detail}`
    }),
    ...(await judgeSession(struck, wanted)),
  ]
}

// ------------------------------------------------------------------------------------ what is back

const judgeSession = async (struck: Struck, wanted: Expectation): Promise<Misses> => {
  const { stage, before } = struck
  const session = await sessionAfter(stage, wanted)
  const now = witness(session?.pid())
  if (session === undefined || now === undefined)
    return ['there is no process, or it is not the one session of the engine']
  const isSame = now.pid === before.pid && now.startTicks === before.startTicks
  if (isSame !== (wanted.process === 'same')) {
    return [isSame ? 'its process is the old one' : 'its process was replaced']
  }
  const isAlone =
    isSame || wanted.beyondReach || (await until(5_000, () => !livesOn(before) || undefined))
  if (!isAlone) return [`the old process ${before.pid} lives beside the new one`]
  return [
    ...judgeDirectory(stage, now),
    ...(wanted.busy ? [] : await judgeTold(stage, session)),
    ...(wanted.busy || !wanted.items.includes('functions') ? [] : await judgeState(stage, session)),
  ]
}

// A replica has an id of its own, and takes the place of the original in the engine, too.
const sessionAfter = async (
  { engine, driver, place }: Stage,
  { process }: Expectation,
): Promise<ShellSession | undefined> => {
  if (process !== 'replica') return driver.session(place.id)
  const runs = (await engine.journal(place.id)).flatMap(({ effects }) =>
    effects.flatMap((effect) => (effect._tag === 'run' ? [effect.token] : [])),
  )
  const id = runs.map((token) => replicaId(place.id, token)).at(-1) ?? ''
  const isAlone = await until(10_000, () =>
    engine.status(place.id) === undefined && engine.status(id) !== undefined ? true : undefined,
  )
  return isAlone === true ? driver.session(id) : undefined
}

const judgeDirectory = ({ place }: Stage, { pid }: Witnessed): Misses => {
  const is = directoryOf(pid)
  return is === place.work ? [] : [`the kernel shows it in ${is ?? 'no directory'}`]
}

const judgeTold = async ({ row, place }: Stage, session: ShellSession): Promise<Misses> => {
  const { subject } = row
  const line = subject.words.tell(place.told)
  if (givesMarks(subject)) {
    // As long as it takes for the file to be there, or never.
    void session.exec(line)
  } else {
    await promptShown(subject.prompt, session)
    session.write(`${line}\r`)
  }
  const told = await until(30_000, () => toldLines(place.told))
  const expected = [place.work, wordOf(place.id)]
  // The word of a program without marks was never told: it has the one it was started with.
  const isWord = told?.[1] === expected[1] || (!givesMarks(subject) && told?.[1] === '')
  return told?.[0] === expected[0] && isWord ? [] : [`it told ${JSON.stringify(told)}`]
}

const judgeState = async ({ row, place }: Stage, session: ShellSession): Promise<Misses> => {
  const { tellState, state } = row.subject.words
  if (tellState === undefined || state === undefined) return []
  const file = `${place.told}-state`
  void session.exec(tellState(file))
  const told = await until(30_000, async () => {
    const lines = await toldLines(file)
    return lines?.length === state.length ? lines : undefined
  })
  return told?.join('\n') === state.join('\n')
    ? []
    : [`of its state it told ${JSON.stringify(await toldLines(file))}`]
}
