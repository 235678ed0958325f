/** The ladders of force: what is tried for which foreground, and what is never touched. */
import type { ForegroundKind } from '@session-recovery/core'
import { expect, it } from 'vitest'
import { named, nextRung, type Rung, type Situation } from '../src/rung.js'

const ladder = (seen: Partial<Situation> & { readonly kind: ForegroundKind }): string => {
  const situation = { groupIsShell: false, keyMakesSignal: true, late: false, ...seen }
  const tried: Rung[] = []
  for (let i = 0; i < 20; i++) {
    const choice = nextRung(situation, tried)
    if (choice._tag !== 'rung') return [...tried.map(named), choice._tag].join(' ')
    tried.push(choice.rung)
  }
  throw new Error('a ladder without an end')
}

it('climbs from the least force to the most', () => {
  expect(ladder({ kind: 'waiting-for-line' })).toBe('^C ^C SIGINT SIGTERM SIGHUP exhausted')
  expect(ladder({ kind: 'waiting-for-password' })).toBe('^C ^C SIGINT SIGTERM SIGHUP exhausted')
  expect(ladder({ kind: 'stopped' })).toBe('SIGCONT SIGCONT exhausted')
  expect(ladder({ kind: 'running', late: true })).toBe('SIGINT SIGTERM SIGHUP exhausted')
  expect(ladder({ kind: 'full-screen', late: true })).toBe('SIGINT SIGTERM SIGHUP exhausted')
})

it('never signals the group of the shell itself', () => {
  expect(ladder({ kind: 'waiting-for-line', groupIsShell: true })).toBe('^C ^C exhausted')
  expect(ladder({ kind: 'running', late: true, groupIsShell: true })).toBe('exhausted')
})

it('types no ^C where it would be text', () => {
  expect(ladder({ kind: 'waiting-for-line', keyMakesSignal: false })).toBe(
    'SIGINT SIGTERM SIGHUP exhausted',
  )
})

it('lets be what is healthy, unknown or gone', () => {
  expect(ladder({ kind: 'at-prompt' })).toBe('free')
  for (const kind of ['running', 'full-screen', 'unknown', 'dead'] as const) {
    expect(ladder({ kind })).toBe('let-be')
  }
  expect(ladder({ kind: 'unknown', late: true })).toBe('let-be')
})
