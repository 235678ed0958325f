/**
 * The ladder of force on all of the corpus: what is well is not touched, what is stuck is freed by no more
 * than its ladder allows, the prompt that comes back is signed, and nothing typed is run by a shell.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type * as NodePty from '@lydell/node-pty'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { captureOf, missingFor, sideBySideOver } from '../src/confusion.js'
import { corpus } from '../src/corpus.js'
import type { Freed, Situation } from '../src/situation.js'
import { membersOf } from '../src/situation-evidence.js'
import { type Scene, type SituationStage, situationStage } from '../src/situation-stage.js'
import { type Interruption, interrupted, noteSignal, proved, typedAt } from './interruption.js'

// What is typed is counted at the terminal itself, whoever types it.
vi.mock('@lydell/node-pty', async (original) => {
  const real = await original<typeof NodePty>()
  const spawn: typeof real.spawn = (...args) => {
    const pty = real.spawn(...args)
    const write = pty.write.bind(pty)
    pty.write = (text) => {
      typedAt.set(pty.pid, (typedAt.get(pty.pid) ?? '') + String(text))
      write(text)
    }
    return pty
  }
  return { ...real, spawn }
})

beforeAll(() => {
  const kill = process.kill.bind(process)
  vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
    if (signal !== 0) noteSignal(pid, String(signal))
    return kill(pid, signal)
  })
})
afterAll(() => vi.restoreAllMocks())

const interruptKey = '\x03'
const playable = corpus.filter((situation) => missingFor(situation).length === 0)

/** Plays situations side by side; gives what was wrong with each. */
const problemsIn = async (
  situations: readonly Situation[],
  expectedMs: number | undefined,
  judge: (stage: SituationStage, scene: Scene, situation: Situation) => Promise<readonly string[]>,
): Promise<readonly string[]> => {
  const stage = await situationStage()
  const problems: string[] = []
  try {
    await sideBySideOver(situations, 6, async (situation) => {
      const made = await stage.make(situation, expectedMs)
      if (E.isLeft(made)) problems.push(`${situation.name}: ${made.left}`)
      else {
        const found = await judge(stage, made.right, situation)
        problems.push(...found.map((problem) => `${situation.name}: ${problem}`))
        await stage.end(made.right)
      }
    })
  } finally {
    await stage.close()
  }
  return problems
}

const judgeFreed =
  (
    freedOf: (situation: Situation) => Freed | undefined,
    mayType: (situation: Situation) => boolean,
  ) =>
  async (stage: SituationStage, scene: Scene, situation: Situation): Promise<readonly string[]> => {
    const before = membersOf(scene.shellPid)
    const done = await interrupted(stage, scene)
    const freed = freedOf(situation)
    const is = (wanted: boolean, otherwise: string): readonly string[] =>
      wanted ? [] : [`${otherwise}: ${told(done)}`]
    const keys = mayType(situation) ? [interruptKey, interruptKey + interruptKey] : ['']
    const typed = is(keys.includes(done.typed), 'typed what it must not')
    if (freed === undefined) {
      const now = membersOf(scene.shellPid).map(({ pid }) => pid)
      const lives = before.every(({ pid }) => situation.moves === true || now.includes(pid))
      const answer = situation.expected === 'at-prompt' ? 'done' : undefined
      const mayFail = situation.expected === 'dead' ? 'failed' : 'not-applicable'
      return [
        ...typed,
        ...is(done.typed === '' && done.signals.length === 0, 'was touched'),
        ...is(done.outcome._tag === (answer ?? mayFail), 'answered otherwise'),
        ...is(lives, 'lost a process'),
      ]
    }
    if (freed === 'another') return [...typed, ...is(done.outcome._tag === 'failed', 'was freed')]
    return [
      ...typed,
      ...is(done.outcome._tag === 'done', 'was not freed'),
      ...is(mayType(situation) || done.signals.length > 0, 'was freed by nobody knows what'),
      ...(await isBack(stage, scene, situation)),
    ]
  }

const told = ({ outcome, typed, signals }: Interruption): string =>
  JSON.stringify({ ...outcome, typed, signals })

// The prompt is signed, the shell runs what is entered, and ran nothing that was not.
const isBack = async (
  stage: SituationStage,
  scene: Scene,
  { line, name }: Situation,
): Promise<readonly string[]> => {
  const verdict = await proved(stage, scene)
  if (verdict._tag !== 'alive') return [`no proof: ${verdict.detail}`]
  const isSigned = verdict.receipt.evidence.some(({ source }) => source === 'mark')
  const ran = await scene.session.exec('(exit 7)')
  const captured = await captureOf(stage, scene)
  const lines = E.isRight(captured) ? (captured.right.update.commandHistory ?? []) : []
  const foreign = lines.filter((one) => one !== '(exit 7)' && one !== line)
  const saved = name !== 'vim with unsaved changes' || existsSync(join(scene.home, '.notes.swp'))
  return [
    ...(isSigned ? [] : ['the proof is not signed']),
    ...(ran._tag === 'finished' && ran.exitCode === 7 ? [] : [`exec: ${JSON.stringify(ran)}`]),
    ...(foreign.length === 0 ? [] : [`the shell ran ${foreign.join('; ')}`]),
    ...(saved ? [] : ['the unsaved text is lost']),
  ]
}

const waits = ({ expected, healthy }: Situation): boolean =>
  !healthy && (expected === 'waiting-for-line' || expected === 'waiting-for-password')

it('touches nothing that is well, and frees what is stuck', async () => {
  const judge = judgeFreed(({ freed }) => freed.byDefault, waits)
  expect(await problemsIn(playable, undefined, judge)).toEqual([])
}, 300_000)

it('ends what is late by signals alone, and lets be what cannot be told', async () => {
  const others = playable.filter((situation) => !waits(situation))
  const judge = judgeFreed(({ freed }) => freed.late, waits)
  expect(await problemsIn(others, 0, judge)).toEqual([])
}, 300_000)
