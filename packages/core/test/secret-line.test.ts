/** A command line that gives a secret its value is kept without it. */
import { RecoverySnapshot, redact } from '@session-recovery/core'
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const named = ['DB_PASSWORD', 'apiKey', 'github_token', 'MY_OWN', 'sshPassphrase']
const declared = ['MY_OWN', 'plainly']

const plain: RecoverySnapshot = {
  sessionId: 's',
  timestamp: new Date(0),
  sessionState: null,
  sessionOptions: null,
  environment: {},
  workingDirectory: '/',
  commandHistory: [],
  outputBuffer: [],
}

describe('a command line that gives a secret its value, before any variable holds it', () => {
  const simple = fc.string({
    unit: fc.constantFrom(...'abcdefXYZ0123456789'),
    minLength: 8,
    maxLength: 24,
  })
  const forms: readonly ((name: string, value: string) => string)[] = [
    (name, value) => `export A=1 ${name}='${value}'; make`,
    (name, value) => `${name}="${value}" ./deploy`,
    (name, value) => `${name}=${value} ./deploy`,
    (name, value) => `set -gx ${name} ${value}`,
    (name, value) => `deploy --${name.replaceAll('_', '-')} ${value} --fast`,
    (name, value) => `deploy --${name}=${value}`,
    (name, value) => `export ${name}='${value}`,
    (_, value) => `curl https://me:${value}@host/`,
  ]
  const state = {
    isInteractive: true,
    pendingCommands: [],
    sessionUnresponsive: false,
    timeoutCount: 0,
  }
  const carriers: readonly ((line: string) => Partial<RecoverySnapshot>)[] = [
    (line) => ({ commandHistory: [line] }),
    (line) => ({ interactiveState: { ...state, pendingCommands: [line] } }),
    (line) => ({ interactiveState: { ...state, unknownCommands: [line] } }),
    (line) => ({ interactiveState: { ...state, setAside: [line] } }),
  ]

  test('is stored without it, and so is what repeats it', () => {
    const cases = fc.record({
      name: fc.constantFrom(...named),
      value: simple,
      form: fc.constantFrom(...forms),
      carrier: fc.constantFrom(...carriers),
    })
    holds(
      fc.property(cases, ({ name, value, form, carrier }) => {
        const line = form(name, value)
        const said = { ...carrier(line), outputBuffer: [`$ ${line}\r\n`], workingDirectory: value }
        const { snapshot } = redact({ ...plain, ...said }, declared)
        expect(JSON.stringify(RecoverySnapshot.encode(snapshot))).not.toContain(value)
      }),
    )
  })

  test('keeps what only looks another up, and what is no secret', () => {
    const lines = ['TOKEN=$OTHER run', 'TOKEN=$(cat file) run', 'EDITOR=vim make', 'echo done']
    const { snapshot } = redact({ ...plain, commandHistory: lines }, declared)
    expect(snapshot.commandHistory).toEqual(lines)
  })
})
