/**
 * Plays the corpus on real shells and compares what each situation is with what it is taken for.
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Capture, defaultPolicy, stuckFailure } from '@session-recovery/core'
import { sshdMissing } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import type { ConfusionOptions, ConfusionReport, LeftOut, Played } from './confusion-report.js'
import { corpus } from './corpus.js'
import type { Situation } from './situation.js'
import { isStill, membersOf } from './situation-evidence.js'
import { plainTraits, type Scene, type SituationStage, situationStage } from './situation-stage.js'

// ------------------------------------------------------------------------------------------ model

const defaultSideBySide = 6
// A healthy situation must stay healthy to the default policy for as long as this.
const silenceHours: readonly number[] = [0.02, 1, 12, 240]
const hourMs = 3_600_000

// ------------------------------------------------------------------------------------ combinators

/** What a situation needs and this machine has not. */
export const missingFor = ({ needs, rootOnly = false }: Situation): readonly string[] => [
  ...needs.filter((program) => !isInstalled(program)),
  ...(rootOnly && process.getuid?.() !== 0 ? ['root'] : []),
]

const isInstalled = (program: string): boolean =>
  program === 'sshd'
    ? sshdMissing() === undefined
    : (process.env.PATH ?? '')
        .split(delimiter)
        .some((place) => place !== '' && existsSync(join(place, program)))

/** Plays the corpus. */
export const confusion = async (options: ConfusionOptions = {}): Promise<ConfusionReport> => {
  const {
    only = '',
    shell = 'bash',
    sideBySide = defaultSideBySide,
    onProgress = () => {},
  } = options
  const wanted = corpus.filter(
    ({ name, shells }) => name.includes(only) && (shells?.includes(shell) ?? true),
  )
  const leftOut = wanted.flatMap((situation): readonly LeftOut[] => {
    const missing = missingFor(situation)
    return missing.length === 0 ? [] : [{ name: situation.name, missing }]
  })
  const playable = wanted.filter((situation) => missingFor(situation).length === 0)
  const stage = await situationStage({ shell })
  const played: Played[] = []
  try {
    await sideBySideOver(playable, sideBySide, async (situation) => {
      const one = await play(situation, stage)
      played.push(one)
      onProgress(one, played.length, playable.length)
    })
  } finally {
    await stage.close()
  }
  const inOrder = playable.flatMap(({ name }) => played.filter((one) => one.name === name))
  return { played: inOrder, leftOut, misses: inOrder.filter(({ verdict }) => verdict === 'miss') }
}

/** Does something for each of many, at most `width` at once. */
export const sideBySideOver = async <A>(
  all: readonly A[],
  width: number,
  act: (one: A) => Promise<void>,
): Promise<void> => {
  const left = [...all]
  const lane = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await act(one)
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(width, all.length)) }, lane))
}

const looksPerSituation = 3
const lookEveryMs = 40

const play = async (situation: Situation, stage: SituationStage): Promise<Played> => {
  const made = await stage.make(situation)
  if (E.isLeft(made)) return judged(situation, [], `it did not come about: ${made.left}`)
  try {
    const captures: Capture[] = []
    for (let looks = 0; looks < looksPerSituation; looks++) {
      if (looks > 0) await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
      const captured = await stillCapture(situation, stage, made.right)
      if (E.isLeft(captured)) return judged(situation, captures, JSON.stringify(captured.left))
      captures.push(captured.right)
    }
    return judged(situation, captures)
  } finally {
    await stage.end(made.right)
  }
}

const movingForMs = 20_000

// A program that rests at its prompt may be woken by what it does beside, and computes then. Whoever is at
// the shell's own prompt is asked by a key, which wakes it.
const stillCapture = async (
  { moves = false, expected }: Situation,
  stage: SituationStage,
  scene: Scene,
): ReturnType<typeof captureOf> => {
  const endMs = performance.now() + movingForMs
  for (;;) {
    const before = membersOf(scene.shellPid)
    const captured = await captureOf(stage, scene)
    const counts = moves || expected === 'at-prompt' || isStill(before, membersOf(scene.shellPid))
    if (counts || performance.now() > endMs) return captured
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs))
  }
}

/** Looks at a scene as the engine does. */
export const captureOf = ({ driver }: SituationStage, { id }: Scene) =>
  driver.capture({
    sessionId: id,
    incarnation: 1,
    traits: plainTraits,
    token: 'look',
    signal: new AbortController().signal,
  })()

/**
 * Judges by all looks. Each that says something else is a miss; `unknown` is no lie, and may be said of
 * what moves just then, but it must not be all that is ever said.
 */
const judged = (
  { name, expected, healthy }: Situation,
  captures: readonly Capture[],
  problem?: string,
): Played => {
  const wrong = captures.find(({ foreground: { kind } }) => kind !== expected && kind !== 'unknown')
  const right = captures.find(({ foreground: { kind } }) => kind === expected)
  const shown = (wrong ?? right ?? captures[0])?.foreground
  const fired = captures.some(wouldFire)
  const detail =
    problem ??
    (shown?.kind !== expected
      ? `it is ${expected}, and was taken for ${shown?.kind}: ${shown?.reasons.join(', ')}`
      : healthy && fired
        ? 'it is well, and would be interrupted'
        : undefined)
  return {
    name,
    expected,
    ...(shown === undefined ? {} : { seen: shown.kind }),
    reasons: shown?.reasons ?? [],
    healthy,
    fired,
    verdict: detail === undefined ? 'hit' : 'miss',
    ...(detail === undefined ? {} : { detail }),
  }
}

// The clock of the driver and the one that is asked for are the same: the machine's.
const wouldFire = ({ update, foreground }: Capture): boolean => {
  const state = update.interactiveState
  return (
    state !== undefined &&
    silenceHours.some(
      (hours) =>
        stuckFailure(
          state,
          foreground,
          plainTraits,
          Date.now() + hours * hourMs,
          defaultPolicy.triggers,
        ) !== undefined,
    )
  )
}
