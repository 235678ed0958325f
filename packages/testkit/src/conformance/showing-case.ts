/**
 * Cases about what a driver declares to show of a session: all of it is shown, nothing else is, and what
 * nobody shows is not called restored. Of a process's identity and of what it leaves behind a capture says
 * nothing; those the cases about proof and closing see by themselves.
 */
import {
  type Capture,
  decode,
  type ReceiptItemName,
  type Showable,
  Showing,
  type Showing as Shown,
  shellStateItems,
  showables,
  unshown,
} from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { breach, done, must, pause, proved, type Scene } from './asking.js'
import type { Case } from './case.js'

// ------------------------------------------------------------------------------------------ model

/** Two captures of one session. */
export interface ShownAt {
  /** At its prompt, after a command that ended well. */
  readonly idle: Capture
  /** While a command reads the terminal, line by line; absent: none was begun. */
  readonly busy?: Capture
}

// By what in a capture it is seen that something was shown; absent: a capture does not say.
type Sign = (at: ShownAt) => boolean | undefined

const signs: Partial<Readonly<Record<Showable, Sign>>> = {
  prompt: ({ idle }) => idle.foreground.kind === 'at-prompt',
  commands: ({ busy }) => busy && (busy.update.interactiveState?.pendingCommands ?? []).length > 0,
  exitCodes: ({ idle }) => idle.update.interactiveState?.lastSuccessfulCommand !== undefined,
  directory: ({ idle }) => (idle.update.workingDirectory ?? '') !== '',
  environment: ({ idle }) => idle.update.environment !== undefined,
  shellState: ({ idle }) => idle.update.shell !== undefined,
  history: ({ idle }) => (idle.update.commandHistory ?? []).length > 0,
}

// Only all three together tell what a program that reads its terminal is about.
const ofForeground: readonly Showable[] = ['foreground', 'waiting', 'terminalFlags']

const itemsOf: Partial<Readonly<Record<Showable, readonly ReceiptItemName[]>>> = {
  directory: ['cwd'],
  environment: ['env'],
  shellState: shellStateItems,
  history: ['history'],
}

// ------------------------------------------------------------------------------------ combinators

/** In what a declaration is not what was shown; none: it is true. */
export const misdeclared = (showing: Shown, at: ShownAt): readonly string[] => {
  const { busy } = at
  const single = showables.flatMap((each) => {
    // What the kernel shows of an environment is what it was once: no capture keeps that.
    const isCaptured = !(each === 'environment' && showing[each] === 'kernel')
    const is = isCaptured ? signs[each]?.(at) : undefined
    if (is === undefined || is === (showing[each] !== 'nobody')) return []
    return [
      is ? `${each} is shown, and declared of nobody` : `${each} by ${showing[each]} is not shown`,
    ]
  })
  if (busy === undefined) return single
  const is = busy.foreground.kind !== 'unknown'
  const missing = ofForeground.filter((each) => showing[each] === 'nobody')
  if (is === (missing.length === 0)) return single
  const why = busy.foreground.reasons.join(', ')
  return [
    ...single,
    is
      ? `what a program waits for is told, and ${missing.join(', ')} declared of nobody`
      : `what a program waits for is unknown (${why}), and declared to be shown`,
  ]
}

const showingIn = ({ rig: { driver } }: Scene, sessionId: string): Shown => {
  const decoded = decode(Showing, 'showing')(driver.showing?.(sessionId))
  if (E.isLeft(decoded)) return breach(`outside the closed union: ${decoded.left.message}`)
  return decoded.right
}

const captured = async (scene: Scene, sessionId: string): Promise<Capture> => {
  const capture = await scene.capture(sessionId)
  return E.isRight(capture) ? capture.right : breach(capture.left.message)
}

const lookEveryMs = 20

// The kernel may show a command before its shell has said that it runs.
const agreed = async (scene: Scene, sessionId: string, idle: Capture): Promise<void> => {
  const endMs = performance.now() + scene.patienceMs
  for (;;) {
    const at = { idle, busy: await captured(scene, sessionId) }
    const wrong = misdeclared(showingIn(scene, sessionId), at)
    if (wrong.length === 0) return
    if (performance.now() > endMs) breach(`a declaration is not true: ${wrong.join('; ')}`)
    await pause(lookEveryMs)
  }
}

export const showingCases: readonly Case[] = [
  {
    name: 'what a session is declared to show is shown of it, and nothing else is',
    capture: true,
    shows: true,
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      await rig.remember('a', 'shown')
      const idle = await captured(scene, 'a')
      await rig.begin('a')
      await agreed(scene, 'a', idle)
    },
  },
  {
    name: 'what nobody shows of a session is not called restored',
    strategies: ['restore'],
    faults: ['killed'],
    shows: true,
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      const snapshot = await scene.snapshot('a')
      await rig.mishaps.killed?.strike('a')
      await done(scene, 'a', 'restore', { snapshot })
      const { items } = await proved(scene, 'a', 'restore')
      for (const each of unshown(showingIn(scene, 'a'))) {
        const called = (itemsOf[each] ?? []).filter((name) => items[name].status === 'restored')
        must(called.length === 0, `nobody shows ${each}; called restored: ${called.join(', ')}`)
      }
    },
  },
  {
    name: 'no session is declared to show more than its driver, nor one that nobody knows anything',
    shows: true,
    play: async (scene) => {
      const { driver, open } = scene.rig
      await open('a')
      const showing = showingIn(scene, 'a')
      const most = driver.supports.shows
      const more = showables.filter(
        (each) => showing[each] !== 'nobody' && (most?.[each] ?? 'nobody') === 'nobody',
      )
      must(more.length === 0, `a session shows more than its driver: ${more.join(', ')}`)
      must(driver.showing?.('nobody') === undefined, 'something is shown of what nobody knows')
    },
  },
]
