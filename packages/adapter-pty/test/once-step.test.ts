/**
 * No command is run twice: whether its shell is killed or its driver goes, at any step of a command that
 * appends a line to a file, and whatever strategy then brings the session back, there is never a second
 * line; what nobody saw finishing is named.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RecoverySnapshot, RecoveryStrategy } from '@session-recovery/core'
import { describe, expect } from 'vitest'
import type { PtySession } from '../src/index.js'
import { needing } from './dialect.js'
import { died, eventually, foreground, type Rig, rigOf } from './rig.js'

// ------------------------------------------------------------------------------------------ model

const shells = ['bash', 'zsh'] as const
type Shell = (typeof shells)[number]

/** `end`: words by which the shell ends itself at the step, or stops there until its driver goes. */
interface Scene {
  readonly shell: Shell
  readonly log: string
  readonly end: string
}

/** A step in the life of a command. */
interface Step {
  readonly name: string
  /** Run before, and has ended. */
  readonly before?: (scene: Scene) => string
  readonly line: (scene: Scene) => string
  /** Who brings it about that the step lasts; default: the shell itself, by the words it was given. */
  readonly held?: 'unread' | 'running' | 'at-prompt'
  readonly leaves: string
  /** The line was seen starting and not finishing. */
  readonly isUnknown: boolean
}

// ----------------------------------------------------------------------------------- constructors

const once = ({ log }: Scene): string => `echo once >> ${log}`

const steps: readonly Step[] = [
  { name: 'before the line is read', line: once, held: 'unread', leaves: '', isUnknown: false },
  {
    name: 'after its start was told',
    line: (scene) => `${scene.end}; ${once(scene)}`,
    leaves: '',
    isUnknown: true,
  },
  {
    name: 'while it waits, before the write',
    line: (scene) => `sleep 60; ${once(scene)}`,
    held: 'running',
    leaves: '',
    isUnknown: true,
  },
  {
    name: 'in the middle of the write',
    line: ({ end, log }) => `{ printf on; ${end}; printf 'ce\\n'; } >> ${log}`,
    leaves: 'on',
    isUnknown: true,
  },
  {
    name: 'after the write',
    line: (scene) => `${once(scene)}; ${scene.end}`,
    leaves: 'once\n',
    isUnknown: true,
  },
  {
    name: 'while it waits, after the write',
    line: (scene) => `${once(scene)}; sleep 60`,
    held: 'running',
    leaves: 'once\n',
    isUnknown: true,
  },
  {
    name: 'after it ended, before that was told',
    // The integration keeps what is there in front of its own.
    before: ({ shell, log, end }) =>
      shell === 'bash'
        ? `PROMPT_COMMAND=('[[ -s ${log} ]] && ${end}' "\${PROMPT_COMMAND[@]}")`
        : `first() { [[ -s ${log} ]] && ${end} }; precmd_functions=(first $precmd_functions)`,
    line: once,
    leaves: 'once\n',
    isUnknown: true,
  },
  {
    name: 'after its end was told, before the prompt',
    before: ({ shell, log, end }) =>
      `${shell === 'zsh' ? 'setopt prompt_subst; ' : ''}PS1='$([[ -s ${log} ]] && ${end})> '`,
    line: once,
    leaves: 'once\n',
    isUnknown: false,
  },
  { name: 'at the next prompt', line: once, held: 'at-prompt', leaves: 'once\n', isUnknown: false },
]

const starting: readonly RecoveryStrategy[] = ['restart', 'restore', 'session-refresh']

const ends = ['its shell is killed', 'its driver goes'] as const
type End = (typeof ends)[number]

// ------------------------------------------------------------------------------------ combinators

const kill = async (rig: Rig, session: PtySession): Promise<void> => {
  rig.observed.splice(0)
  process.kill(session.pid() ?? 0, 'SIGKILL')
  await died(rig, session.id)
}

const hold = async (rig: Rig, session: PtySession, step: Step, scene: Scene): Promise<void> => {
  const line = step.line(scene)
  if (step.before !== undefined) await session.exec(step.before(scene))
  if (step.held === 'at-prompt') {
    await session.exec(line)
    return
  }
  if (step.held === 'unread') {
    process.kill(session.pid() ?? 0, 'SIGSTOP')
    await foreground(rig, session.id, 'stopped')
  }
  session.write(`${line}\r`)
  if (step.held === 'running') await foreground(rig, session.id, 'running')
}

// What was told before it stopped may still be on its way.
const stoppedAt = (rig: Rig, wanted: readonly string[]): Promise<RecoverySnapshot> =>
  eventually('the step', async () => {
    const { foreground: seen } = await rig.capture('a')
    const snapshot = await rig.snapshot('a')
    const told = JSON.stringify(snapshot.interactiveState?.pendingCommands ?? [])
    return seen.kind === 'stopped' && told === JSON.stringify(wanted) ? snapshot : undefined
  })

/** Ends the session at the step: what is known of it then, and to whom. */
const ended = async (
  rig: Rig,
  { shell, log }: Pick<Scene, 'shell' | 'log'>,
  step: Step,
  end: End,
): Promise<readonly [Rig, RecoverySnapshot]> => {
  const scene = { shell, log, end: `kill -${end === 'its shell is killed' ? 'KILL' : 'STOP'} $$` }
  const session = await rig.open('a', { command: shell })
  await hold(rig, session, step, scene)
  if (end === 'its shell is killed') {
    if (step.held === undefined) await died(rig, 'a')
    else await kill(rig, session)
    return [rig, await rig.snapshot('a')]
  }
  const isStopped = step.held === undefined || step.held === 'unread'
  const snapshot = isStopped
    ? await stoppedAt(rig, step.isUnknown ? [step.line(scene)] : [])
    : await rig.snapshot('a')
  await rig.driver.close()
  const sessionOptions = { command: shell, cwd: rig.home, env: rig.env }
  return [rigOf(), { ...snapshot, sessionOptions }]
}

/** By every strategy, again and again: what was there is there, and the unknown line is named. */
const broughtBack = async (
  rig: Rig,
  snapshot: RecoverySnapshot,
  isWhole: () => void,
  unknown: readonly string[],
): Promise<void> => {
  expect(await rig.run('a', 'command-retry', { snapshot })).toMatchObject({
    _tag: 'not-applicable',
  })
  for (const strategy of starting) {
    expect(await rig.run('a', strategy, { snapshot })).toMatchObject({ _tag: 'done' })
    const verdict = await rig.verify('a', strategy)
    if (verdict._tag !== 'alive') throw new Error(`unproved: ${verdict.detail}`)
    const { jobs } = verdict.receipt.items
    expect(jobs.unknownCommands ?? []).toEqual(unknown)
    expect(jobs.detail.includes('not run again: ')).toBe(unknown.length > 0)
    for (const line of unknown) expect(jobs.detail).toContain(`not run again: ${line}`)
    const session = rig.driver.session('a')
    if (session === undefined) throw new Error('there is no session')
    // Were the new shell sent anything, this would wait behind it.
    expect(await session.exec('true')).toEqual({ _tag: 'finished', exitCode: 0 })
    isWhole()
    if (strategy !== 'session-refresh') await kill(rig, session)
  }
  expect(rig.driver.session('a')?.unknownCommands()).toEqual(unknown)
}

const cases = steps.flatMap((step) => ends.map((end) => [step.name, end, step] as const))

describe.each(shells)('a command of %s', (shell) => {
  needing(shell).concurrent.each(cases)(
    '%s, when %s, is not run again',
    async (_name, end, step) => {
      const first = rigOf()
      const log = join(first.home, 'log')
      writeFileSync(log, '')
      const isWhole = () => expect(readFileSync(log, 'utf8')).toBe(step.leaves)
      let second = first
      try {
        const [rig, snapshot] = await ended(first, { shell, log }, step, end)
        second = rig
        isWhole()
        const word = end === 'its shell is killed' ? 'KILL' : 'STOP'
        const line = step.line({ shell, log, end: `kill -${word} $$` })
        await broughtBack(rig, snapshot, isWhole, step.isUnknown ? [line] : [])
      } finally {
        if (second !== first) await second.close()
        await first.close()
      }
    },
    60_000,
  )
})
