/** What may be run again, and when: what was declared, to the letter, and never sooner than the policy says. */
import { defaultPolicy, retriableCommands, retryDelayMs } from '@session-recovery/core'
import { expect, test } from 'vitest'

const commandRetry = {
  ...defaultPolicy.commandRetry,
  idempotentCommands: ['git status'],
  baseDelayMs: 100,
  backoffMultiplier: 3,
  maxDelayMs: 1_000,
}

test('only what the session or the policy declares, to the letter, may be run again', () => {
  const pending = ['make', 'git status', 'ls', 'ls -l', 'git  status', 'ls']
  expect(retriableCommands(pending, { idempotentCommands: ['ls'] }, { commandRetry })).toEqual({
    run: ['git status', 'ls', 'ls'],
    offered: ['make', 'ls -l', 'git  status'],
  })
  expect(retriableCommands([], { idempotentCommands: ['ls'] }, { commandRetry })).toEqual({
    run: [],
    offered: [],
  })
})

test('the wait grows with each try, from the first on, up to its bound', () => {
  const delaysMs = [0, 1, 2, 3, 4, 99].map((tries) => retryDelayMs(tries, { commandRetry }))
  expect(delaysMs).toEqual([100, 100, 300, 900, 1_000, 1_000])
})
