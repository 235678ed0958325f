/** Nothing is given to a new shell that runs by itself or lacks a secret, unless the policy names it. */
import { redactedText, type ShellState, secretReference } from '@session-recovery/core'
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { bashIntegration } from '../src/bash-integration.js'
import { canExecute } from '../src/environment.js'
import { restorable } from '../src/restorable.js'
import { comparedState } from '../src/state-item.js'

const names = ['a', 'PS1', 'MAILPATH', 'builtin', 'command_not_found_handle', '__sr_x', 'EXIT']
const name = fc.constantFrom(...names)
const text = fc.constantFrom(
  ...['', 'plain', `has ${redactedText}`, secretReference('s', 'shell', 'variables', 'a')],
)
const texts = fc.dictionary(name, text)
const variable = fc.oneof(
  text.map((value) => ({ attributes: '', value })),
  texts.map((values) => ({ attributes: 'A', values })),
)
const state = fc
  .record({
    variables: fc.dictionary(name, variable),
    functions: texts,
    aliases: texts,
    traps: texts,
    directoryStack: fc.array(text),
  })
  .map((some): ShellState => ({ shell: 'bash', options: {}, umask: '', lastExitCode: 0, ...some }))
const allowed = fc.uniqueArray(
  fc.constantFrom(
    ...names.flatMap((one) => [one, `function:${one}`, `alias:${one}`, `trap:${one}`]),
  ),
)

const kinds = [
  ['shellVariables', 'variables', ''],
  ['functions', 'functions', 'function:'],
  ['aliases', 'aliases', 'alias:'],
  ['traps', 'traps', 'trap:'],
] as const

it('splits what a shell holds without a rest', () => {
  holds(
    fc.property(state, allowed, fc.uniqueArray(name), (held, named, lostVariables) => {
      const bounds = { integration: bashIntegration, allowed: named, lostVariables }
      const { state: given, refused, secretless } = restorable(held, bounds)
      for (const [item, field, prefix] of kinds) {
        for (const [one, value] of Object.entries(held[field])) {
          const isGiven = Object.hasOwn(given[field], one)
          const isRefused = refused[item]?.includes(one) === true
          const isSecretless = secretless[item]?.includes(one) === true
          expect([isGiven, isRefused, isSecretless].filter(Boolean)).toHaveLength(1)
          const all = JSON.stringify(value)
          const lacks =
            all.includes(redactedText) ||
            (item === 'shellVariables' &&
              (lostVariables.includes(one) || all.includes('session-recovery-secret:')))
          const runs =
            (item === 'shellVariables' && canExecute(one)) ||
            (item === 'traps' && value !== '') ||
            bashIntegration.runsByItself(item, one)
          expect(isSecretless).toBe(lacks)
          expect(isRefused).toBe(!lacks && runs && !named.includes(prefix + one))
        }
      }
      expect(given.directoryStack).toEqual(
        held.directoryStack.filter((path) => !path.includes(redactedText)),
      )
    }),
    1_000,
  )
})

it('compares to the letter: what is not given is lost, unless the new shell holds it anyway', () => {
  holds(
    fc.property(state, state, (wanted, is) => {
      const respawn = { _tag: 'given', wanted, refused: {}, secretless: {} } as const
      const { items } = comparedState(respawn, is)
      for (const [item, field] of kinds) {
        const isHeld = Object.entries(wanted[field]).every(
          ([one, value]) =>
            Object.hasOwn(is[field], one) &&
            JSON.stringify(is[field][one]) === JSON.stringify(value),
        )
        if (isHeld) expect(items[item].status).toBe('restored')
        const differs = Object.keys(wanted[field]).some((one) => !Object.hasOwn(is[field], one))
        if (differs) expect(items[item].status).toBe('lost')
      }
      expect(items.umask.status).toBe('unknown')
    }),
    1_000,
  )
})
