/**
 * `plan` as a user runs it: the built program in a process of its own, against the seed's 500 cases and
 * against input that is wrong in every way a line can be.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))
const program = path('../dist/main.js')
const vectors = path('../../core/test/fixture/plan-vector.jsonl')

const run = (args: readonly string[], input = '') => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'plan', ...args], {
    encoding: 'utf8',
    input,
    env: { ...process.env, NO_COLOR: '' },
  })
  return { status, stdout, stderr, lines: stdout.split('\n').slice(0, -1) }
}

interface Vector {
  readonly interactive?: {
    readonly pendingCommands: readonly string[]
    readonly lastSuccessfulCommand?: number
  }
  readonly plan: unknown
  readonly trigger: { readonly reason?: string }
}
const seed = readFileSync(vectors, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line): Vector => JSON.parse(line))

// Commands wait, and nothing says since when: the seed took the time since 1970 for their age. The
// cases are listed one by one in core's test of the planner.
const lacksAge = ({ interactive, trigger }: Vector): boolean =>
  trigger.reason === 'Pending commands not processing' &&
  interactive?.lastSuccessfulCommand === undefined

const expected = seed.map((vector) => {
  const { plan, trigger } = vector
  const calm = { shouldTrigger: false, urgency: 'low' }
  return JSON.stringify({ plan, trigger: lacksAge(vector) ? calm : trigger })
})

test('all 500 cases are answered to the letter, from a file and from stdin', () => {
  expect(seed).toHaveLength(500)
  expect(seed.filter(lacksAge)).toHaveLength(32)
  for (const { status, lines, stderr } of [
    run(['--jsonl', vectors]),
    run(['--jsonl'], readFileSync(vectors, 'utf8')),
  ]) {
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(lines).toEqual(expected)
  }
})

const good = '{"now":1800000000000,"reason":"network","ssh":false,"smart":true}'

test.each([
  ['{"now":1}', 'ssh', 'line 2: ssh: expected boolean, got undefined'],
  ['{"now":"x","ssh":true,"smart":true}', 'now', 'line 2: now: expected milliseconds'],
  ['{"now":1e999,"ssh":true,"smart":true}', 'now', 'line 2: now: expected milliseconds'],
  ['{"now":1,"ssh":true,"smart":true,"reason":null}', 'reason', 'line 2: reason: expected string'],
  [
    '{"now":1,"ssh":true,"smart":true,"interactive":{"isInteractive":true,"pendingCommands":[1],"sessionUnresponsive":false,"timeoutCount":0}}',
    'interactive.pendingCommands.0',
    'line 2: interactive.pendingCommands.0: expected string, got 1',
  ],
  ['[]', '', 'line 2: expected case, got an array of 0'],
  ['null', '', 'line 2: expected case, got null'],
  ['{"now":', '', 'line 2: expected JSON'],
])('a bad line is named with its field, and the others are answered: %s', (bad, field, message) => {
  const { status, lines, stderr } = run(['--jsonl'], `${good}\n${bad}\n${good}`)
  expect(status).toBe(65)
  expect(lines).toHaveLength(3)
  expect(lines[2]).toBe(lines[0])
  expect(JSON.parse(lines[0] ?? '')).toHaveProperty('plan.strategies', [
    'restart',
    'restore',
    'fallback',
  ])
  expect(JSON.parse(lines[1] ?? '').error).toMatchObject({
    _tag: 'DecodeError',
    subject: 'line 2',
    path: field,
  })
  expect(stderr).toContain(`session-recovery: ${message}`)
})

test('empty lines are passed over, and counted', () => {
  const { status, lines, stderr } = run(['--jsonl'], `\n${good}\r\n\n{}\n`)
  expect({ status, answers: lines.length }).toEqual({ status: 65, answers: 2 })
  expect(stderr).toContain('line 4: ')
})

test('the two ages that the seed lacked count', () => {
  const state = { isInteractive: false, sessionUnresponsive: false, timeoutCount: 0 }
  const at = (pendingSince: number) =>
    JSON.stringify({
      now: 100_000,
      ssh: false,
      smart: true,
      interactive: { ...state, pendingCommands: ['make'], pendingSince },
    })
  const { lines } = run(['--jsonl'], `${at(1_000)}\n${at(99_000)}\n`)
  expect(lines.map((line) => JSON.parse(line).trigger.shouldTrigger)).toEqual([true, false])
})

test('a file that is not there is named, and ends with 66', () => {
  const { status, stderr, stdout } = run(['--jsonl', '/nowhere/cases.jsonl'])
  expect({ status, stdout }).toEqual({ status: 66, stdout: '' })
  expect(stderr).toBe('session-recovery: /nowhere/cases.jsonl cannot be read: ENOENT\n')
})

test('a reader that has read enough ends it quietly', () => {
  const pipe = `"${process.execPath}" "${program}" plan --jsonl "${vectors}" | head -n 1`
  const { status, stdout, stderr } = spawnSync('bash', ['-c', `set -o pipefail; ${pipe}`], {
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toBe(`${expected[0]}\n`)
})

test('for people: the plan, the rule and the others, the horizon; no colour in a pipe', () => {
  const { status, stdout, stderr } = run(['connection reset', '--ssh'])
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).not.toContain('\u001b')
  expect(stdout).toContain('Plan for "connection reset": network, ssh session')
  expect(stdout).toContain('reconnect -> restart -> migrate -> fallback')
  expect(stdout.match(/^ {2}\* /gm)).toHaveLength(1)
  expect(stdout).toMatch(/\* network-ssh +chosen: the first rule whose conditions all hold/)
  expect(stdout).toMatch(/plain-ssh +did not apply: smart recovery is on/)
  expect(stdout).toMatch(/general-ssh +came later/)
  expect(stdout).toMatch(
    /attempt 3 +after a wait of 10 s: 15 s after the failure, at the latest 3 min 15 s/,
  )
  expect(stdout).toMatch(/given up +at worst after 5 min 15 s/)
})

test('for programs: the same as JSON', () => {
  const { stdout } = run(['prompt timeout', '--no-smart', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({
    session: 'local',
    rule: 'plain-local',
    failure: { kind: 'prompt-timeout', reason: 'prompt timeout' },
    plan: { strategies: ['restart', 'restore', 'fallback'] },
    horizon: { totalAttempts: 3, worstCaseMs: 225_000 },
  })
})

test('a reason cannot steer the terminal', () => {
  const { stdout } = run(['\u001b[2J\u009b2J\u007f'])
  expect(stdout).toContain('"\\u001b[2J\\u009b2J\\u007f"')
})

test.each([['--jsonl', '--ssh'], ['--jsonl', '--no-smart'], ['--colour'], ['a', 'b']])(
  'a command line that makes no sense ends with 64: %s %s',
  (...args) => {
    const { status, stderr } = run(args)
    expect(status).toBe(64)
    expect(stderr).toMatch(/^session-recovery: /)
  },
)
