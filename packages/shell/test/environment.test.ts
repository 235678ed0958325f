/** Of three environments one is made, and of every variable it can be said where it comes from. */
import { defaultPolicy, secretReference } from '@session-recovery/core'
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { canExecute, isVolatile, lostNames, type MergeRule, merged } from '../src/environment.js'

const name = fc.constantFrom(
  ...['A', 'B', 'EDITOR', 'LANG', '__proto__', 'MINE', 'SHLVL', '_', 'PWD'],
  ...['LD_PRELOAD', 'BASH_ENV', 'PROMPT_COMMAND', 'NODE_OPTIONS', 'GIT_SSH_COMMAND', 'PS1'],
  ...['SSH_AUTH_SOCK', 'DISPLAY', 'DBUS_SESSION_BUS_ADDRESS', 'TMUX', 'SSH_AGENT_PID'],
  ...['BASH_FUNC_f%%', 'x[$(kill -9 $$)]', 'a b'],
)
const value = fc.constantFrom('1', '2', '')
const environment = fc
  .array(fc.tuple(name, value))
  .map((entries): Readonly<Record<string, string>> => Object.fromEntries(entries))
const rule = fc
  .record({
    isWhole: fc.boolean(),
    lostNames: fc.uniqueArray(name, { maxLength: 2 }),
    restoredExecutables: fc.uniqueArray(name, { maxLength: 3 }),
    volatileNames: fc.uniqueArray(name, { maxLength: 3 }),
  })
  .map(
    ({ restoredExecutables, volatileNames, ...rest }): MergeRule => ({
      ...rest,
      policy: { restoredExecutables, volatileNames },
    }),
  )
const has = (from: object, key: string): boolean => Object.hasOwn(from, key)
const get = (from: Readonly<Record<string, string>>, key: string): string | undefined =>
  has(from, key) ? from[key] : undefined
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/
const shells = ['SHLVL', '_', 'PWD']

describe('merged environments', () => {
  const every = (check: (at: Case) => void): void =>
    holds(
      fc.property(environment, environment, rule, (before, today, how) => {
        const made = merged(before, today, how)
        for (const key of new Set([...Object.keys(before), ...Object.keys(today)])) {
          const is = get(made.environment, key)
          const origin = get(made.origins, key)
          check({ key, is, origin, before: get(before, key), today: get(today, key), how })
        }
      }),
      2_000,
    )
  interface Case {
    readonly key: string
    readonly is: string | undefined
    readonly origin: string | undefined
    readonly before: string | undefined
    readonly today: string | undefined
    readonly how: MergeRule
  }

  it('hold nothing that neither had, and tell of what they hold where it comes from', () => {
    every(({ key, is, origin, before, today, how }) => {
      if (is !== undefined) expect([before, today]).toContain(is)
      if (is !== undefined && !shells.includes(key)) expect(origin).toBeDefined()
      if (how.lostNames.includes(key)) expect(origin).toBe('lost')
      else if (origin === 'snapshot') expect(is).toBe(before)
      else expect(is === undefined || is === today).toBe(true)
    })
  })

  it('let nothing of the snapshot run by itself that the policy does not name', () => {
    every(({ key, is, origin, before, today, how }) => {
      const isNamed = how.policy.restoredExecutables.includes(key)
      if (!canExecute(key) || how.lostNames.includes(key)) return
      if (!isNamed || !identifier.test(key)) {
        expect(is).toBe(today)
        if (before !== undefined && before !== today) expect(origin).toBe('refused')
      } else if (before !== undefined && !isVolatile(key, how.policy.volatileNames)) {
        expect([is, origin]).toEqual([before, 'snapshot'])
      }
    })
  })

  it('have of what belongs to a moment what today has, and say what is past', () => {
    every(({ key, is, origin, before, today, how }) => {
      const isMomentary = isVolatile(key, how.policy.volatileNames)
      if (!isMomentary || canExecute(key) || !identifier.test(key) || shells.includes(key)) return
      expect(is).toBe(today)
      if (how.lostNames.includes(key)) return
      expect(origin).toBe(
        today !== undefined ? 'host' : before === undefined ? undefined : 'volatile',
      )
    })
  })

  it('else have what the snapshot has, and what it lacks where it is not whole', () => {
    every(({ key, is, before, today, how }) => {
      const isOther =
        canExecute(key) ||
        isVolatile(key, how.policy.volatileNames) ||
        how.lostNames.includes(key) ||
        shells.includes(key) ||
        !identifier.test(key)
      if (!isOther) expect(is).toBe(before ?? (how.isWhole ? undefined : today))
    })
  })
})

test.each([
  ...['SSH_AUTH_SOCK', 'DISPLAY', 'XAUTHORITY', 'WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS'],
  ...['XDG_RUNTIME_DIR', 'XDG_SESSION_ID', 'TMUX', 'TMUX_PANE', 'STY', 'GPG_AGENT_PID'],
  ...['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY', 'WINDOWID', 'INVOCATION_ID', 'JOURNAL_STREAM'],
])('%s belongs to a moment', (momentary) => {
  expect(isVolatile(momentary, [])).toBe(true)
})

test.each(['PATH', 'XDG_CONFIG_HOME', 'LANG', 'EDITOR', 'PIDS'])('%s does not', (lasting) => {
  expect(isVolatile(lasting, defaultPolicy.volatileNames)).toBe(false)
  expect(isVolatile(lasting, [lasting])).toBe(true)
})

test('the variables of lost secrets are told once each, wherever they stood', () => {
  const references = [
    secretReference('s', 'env', 'TOKEN'),
    secretReference('s', 'shell', 'variables', 'keys', 'a/b'),
    secretReference('s', 'shell', 'variables', 'keys', 'c'),
    secretReference('t', 'env', 'OTHER'),
    secretReference('s', 'options', 'env', 'X'),
  ]
  expect(lostNames('s', references)).toEqual(['TOKEN'])
  expect(lostNames('s', references, ['shell', 'variables'])).toEqual(['keys'])
})
