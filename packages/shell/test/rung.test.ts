/** The ladders of force: what is tried for which foreground, and what is never touched. */
import type { ForegroundKind } from '@session-recovery/core'
import { expect, it, test } from 'vitest'
import { named, nextRung, type Rung, type Situation } from '../src/rung.js'

type Seen = Partial<Situation> & { readonly kind: ForegroundKind }

const choices = (seen: Seen): readonly string[] => {
  const situation = { groupIsShell: false, keyMakesSignal: true, late: false, ...seen }
  const tried: Rung[] = []
  for (let i = 0; i < 20; i++) {
    const choice = nextRung(situation, tried)
    if (choice._tag !== 'rung') return [...tried.map(named), choice._tag]
    tried.push(choice.rung)
  }
  throw new Error('a ladder without an end')
}

const ladder = (seen: Seen): string => choices(seen).join(' ')

const waiting = '^C ^C SIGINT SIGTERM SIGHUP exhausted'
const keysOnly = '^C ^C exhausted'
const noKeys = 'SIGINT SIGTERM SIGHUP exhausted'
const saving = 'SIGINT SIGHUP SIGTERM exhausted'
const paging = 'SIGTERM SIGHUP exhausted'

// By kind: not late; late; late in the shell's own group; late where ^C would be text.
test.each<readonly [Seen, string, string, string, string]>([
  [{ kind: 'at-prompt' }, 'free', 'free', 'free', 'free'],
  [{ kind: 'waiting-for-line' }, waiting, waiting, keysOnly, noKeys],
  [{ kind: 'waiting-for-password' }, waiting, waiting, keysOnly, noKeys],
  [{ kind: 'waiting-for-line', holdsWork: 'repl' }, 'let-be', saving, 'exhausted', saving],
  [{ kind: 'waiting-for-line', holdsWork: 'editor' }, 'let-be', saving, 'exhausted', saving],
  [{ kind: 'running' }, 'let-be', noKeys, 'SIGINT exhausted', noKeys],
  [{ kind: 'full-screen' }, 'let-be', saving, 'exhausted', saving],
  [{ kind: 'pager' }, 'let-be', paging, 'exhausted', paging],
  [
    { kind: 'stopped' },
    'SIGCONT SIGCONT exhausted',
    'SIGCONT SIGCONT exhausted',
    'SIGCONT SIGCONT exhausted',
    'SIGCONT SIGCONT exhausted',
  ],
  [{ kind: 'unknown' }, 'let-be', 'let-be', 'let-be', 'let-be'],
  [{ kind: 'dead' }, 'let-be', 'let-be', 'let-be', 'let-be'],
])('%j', (seen, early, late, inShell, keyIsText) => {
  expect(ladder(seen)).toBe(early)
  expect(ladder({ ...seen, late: true })).toBe(late)
  expect(ladder({ ...seen, late: true, groupIsShell: true })).toBe(inShell)
  expect(ladder({ ...seen, late: true, keyMakesSignal: false })).toBe(keyIsText)
})

it('types no ^C where it would be text, and no signal to a shell that waits', () => {
  const seen: Seen = { kind: 'waiting-for-line', keyMakesSignal: false, groupIsShell: true }
  expect(ladder(seen)).toBe('exhausted')
})

it('counts a rung that another ladder had tried', () => {
  const late = { groupIsShell: false, keyMakesSignal: true, late: true }
  const interrupt: Rung = { _tag: 'signal', signal: 'SIGINT' }
  expect(nextRung({ ...late, kind: 'running' }, [interrupt])).toEqual({
    _tag: 'rung',
    rung: { _tag: 'signal', signal: 'SIGTERM' },
  })
  expect(nextRung({ ...late, kind: 'full-screen' }, [interrupt])).toEqual({
    _tag: 'rung',
    rung: { _tag: 'signal', signal: 'SIGHUP' },
  })
  expect(nextRung({ ...late, kind: 'waiting-for-line' }, [interrupt])).toEqual({
    _tag: 'rung',
    rung: { _tag: 'interrupt-key' },
  })
})

test.each<readonly [Seen, RegExp]>([
  [{ kind: 'running' }, /does not wait for input and is not known to be late/],
  [{ kind: 'full-screen' }, /full-screen program may hold somebody's work/],
  [{ kind: 'pager' }, /may be reading in the pager/],
  [{ kind: 'waiting-for-line', holdsWork: 'repl' }, /an interpreter at its own prompt holds/],
  [{ kind: 'waiting-for-line', holdsWork: 'editor' }, /an editor holds/],
  [{ kind: 'unknown' }, /cannot be told/],
  [{ kind: 'dead' }, /no process/],
])('%j is let be, with the reason', (seen, why) => {
  const situation = { groupIsShell: false, keyMakesSignal: true, late: false, ...seen }
  expect(nextRung(situation, [])).toEqual({ _tag: 'let-be', why: expect.stringMatching(why) })
})
