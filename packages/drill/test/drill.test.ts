/**
 * The drill through the code that `npm run drill` runs: one row of each kind, and what it says to those
 * who ask for what there is not.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { ConfusionReport } from '../src/confusion-report.js'
import { statusOf } from '../src/drill.js'
import { run } from '../src/run.js'
import { allRows, rowNamed, rowsFor } from '../src/selection.js'
import { isMiss, missesOf, tableOf } from '../src/show.js'
import { missingFor, subjects } from '../src/subject.js'

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url))

interface Ended {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

const started = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const options = { env: { ...process.env, NO_COLOR: '1', ...env } }
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) => {
      resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })

const dash = ['/bin/dash', '/usr/bin/dash'].find(existsSync)
const hasDash = dash !== undefined || process.env.CI === 'true'

const kinds: readonly (readonly [string, string, string])[] = [
  ['bash', 'killed-at-prompt', 'restore'],
  ['bash', 'killed-in-command', 'command-retry'],
  ['bash', 'at-password', 'prompt-interrupt'],
  ['bash', 'liar-exits', 'restart'],
  ['bash', 'app-killed', 'replicate'],
  ['zsh', 'disarmed', 'prompt-reset'],
  ['fish', 'exit-declared', 'restart'],
  ['dash', 'stopped', 'session-refresh'],
  ['python3', 'program-gone', 'restart'],
  ['bash', 'stopped', 'migrate'],
  ['ssh-dtach', 'child-killed', 'reconnect'],
  ['ssh-zsh', 'child-killed', 'reconnect'],
  ['ssh-fish', 'killed-in-command', 'restore'],
  ['ssh-plain', 'host-gone', 'migrate'],
  ['ssh-plain', 'key-rotated', 'fallback'],
]

describe('a row of each kind', () => {
  for (const [shell, fault, strategy] of kinds) {
    const row = rowNamed(shell, fault, strategy)
    const missing = missingFor(row.subject)
    const without = missing.length === 0 ? '' : ` (not installed: ${missing.join(', ')})`
    const isPlayed = missing.length === 0 || process.env.CI === 'true'
    const name = `${shell} ${fault} ${strategy}${without}`
    test.runIf(isPlayed)(name, { timeout: 240_000 }, async () => {
      expect(missing).toEqual([])
      const { rows } = await run([row], { jobs: 1, keep: false, began: () => {}, ended: () => {} })
      expect(missesOf(rows)).toBe('')
      expect(rows).toHaveLength(1)
    })
  }
})

describe('which rows are played', () => {
  test('every strategy against every fault that fits, on every subject', () => {
    for (const { name, keeper } of subjects) {
      const strategies = new Set(
        allRows.filter((row) => row.subject.name === name).map(({ strategy }) => strategy),
      )
      const ofConnection = keeper === 'tmux' || keeper === 'none'
      expect(strategies.size, name).toBe(ofConnection ? 6 : 10)
    }
  })

  test('a subject that stands for few faults is played in each of them', () => {
    for (const { name, faults } of subjects.filter((one) => one.faults !== undefined)) {
      const played = new Set(
        allRows.filter((row) => row.subject.name === name).map(({ fault }) => fault.name),
      )
      expect(played, name).toEqual(new Set(faults))
    }
  })

  test('those that were asked for, and no others', () => {
    const asked = rowsFor({
      shells: ['bash', 'dash'],
      faults: ['stopped'],
      strategies: ['restart'],
    })
    expect(asked).toMatchObject({
      right: [
        { subject: { name: 'bash' }, fault: { name: 'stopped' }, strategy: 'restart' },
        { subject: { name: 'dash' }, fault: { name: 'stopped' }, strategy: 'restart' },
      ],
    })
  })

  test('what nothing has is refused with the names there are', () => {
    const asked = rowsFor({ shells: [], faults: ['flood'], strategies: [] })
    expect(asked).toMatchObject({ left: { message: expect.stringMatching(/"flood".*stopped/) } })
    expect(rowsFor({ shells: ['dash'], faults: ['at-read'], strategies: [] })).toMatchObject({
      left: { message: 'no row has all that was asked for' },
    })
  })
})

describe('the program', () => {
  test('says which names there are, and fails', { timeout: 240_000 }, async () => {
    const { status, stdout, stderr } = await started(['--strategy', 'prayer'])
    expect(status).toBe(64)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^drill: there is no strategy "prayer"; there are restart, reconnect/)
  })

  test('knows no other options', { timeout: 240_000 }, async () => {
    const { status, stderr } = await started(['--frobnicate'])
    expect(status).toBe(64)
    expect(stderr).toMatch(/unknown option '--frobnicate'/)
    expect((await started(['--jobs', 'some'])).status).toBe(64)
  })

  test('prints for machines on stdout alone', { timeout: 240_000 }, async () => {
    const one = ['--shell', 'bash', '--fault', 'killed-at-prompt', '--strategy', 'restart']
    const { status, stdout, stderr } = await started([...one, '--json'])
    expect(stderr).toMatch(/1\/1 ✓ bash/)
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      rows: [{ shell: 'bash', strategy: 'restart', outcome: 'recovered', misses: [] }],
      missing: [],
    })
  })

  test('names what is not installed and leaves it out, but fails in CI', {
    timeout: 240_000,
  }, async () => {
    const one = ['--shell', 'fish', '--fault', 'killed-at-prompt', '--strategy', 'restart']
    const PATH = fileURLToPath(new URL('.', import.meta.url))
    const skipped = await started(one, { PATH, CI: '' })
    expect(skipped.stderr).toMatch(/fish is not installed/)
    expect(skipped.stdout).toMatch(/not installed: fish/)
    expect(skipped.status).toBe(0)
    expect((await started(one, { PATH, CI: 'true' })).status).toBe(1)
  })

  // It starts once: a restart of it cannot come to what is expected.
  test.runIf(hasDash)(
    'fails when a row does not come to what is expected',
    {
      timeout: 240_000,
    },
    async () => {
      const place = mkdtempSync(join(tmpdir(), 'drill-test-'))
      try {
        const spent = join(place, 'spent')
        const script = `#!/bin/sh\nmkdir ${spent} 2>/dev/null || exit 1\nexec ${dash} "$@"\n`
        writeFileSync(join(place, 'dash'), script, { mode: 0o700 })
        const one = ['--shell', 'dash', '--fault', 'killed-at-prompt', '--strategy', 'restart']
        const PATH = `${place}:${process.env.PATH}`
        const { status, stdout } = await started(one, { PATH })
        expect(stdout).toMatch(/MISS dash killed-at-prompt restart/)
        expect(status).toBe(1)
      } finally {
        rmSync(place, { recursive: true, force: true })
      }
    },
  )
})

describe('the table', () => {
  const row = rowNamed('bash', 'killed-at-prompt', 'prompt-interrupt')
  const played = {
    row,
    host: 'local',
    detectedMs: 12,
    latencyMs: 3_456,
    failure: 'killed',
    tried: [
      { strategy: row.strategy, outcome: 'failed' as const, detail: '' },
      { strategy: row.strategy, outcome: 'failed' as const, detail: '' },
    ],
    end: undefined,
    misses: ['it has no end'],
    tookMs: 4_000,
  }

  test.each([80, 100, 120, 200])('fits %i columns', (columns) => {
    const lines = tableOf([played], columns).split('\n')
    for (const line of lines.slice(0, lines.findIndex((one) => one.startsWith('└')) + 1)) {
      expect(line.length).toBeLessThanOrEqual(columns)
    }
  })

  test('counts what ended in the same way again, and shows a miss as one', () => {
    const text = tableOf([played], 200)
    expect(text).toMatch(/prompt-interrupt: failed ×2/)
    expect(text).toMatch(/MISS/)
    expect(isMiss(played)).toBe(true)
    expect(missesOf([played])).toMatch(
      /MISS bash killed-at-prompt prompt-interrupt\n {2}it has no end/,
    )
  })
})

test('what is left out of the corpus fails in CI and nowhere else; a miss fails everywhere', () => {
  const corpus = { played: [], leftOut: [], misses: [] }
  const statuses = (report: ConfusionReport) =>
    [false, true].map((isCi) => statusOf({ rows: [], report }, [], isCi))
  expect(statuses(corpus)).toEqual([0, 0])
  expect(statuses({ ...corpus, leftOut: [{ name: 'nano', missing: ['nano'] }] })).toEqual([0, 1])
  const miss = { name: 'vim', expected: 'full-screen', seen: 'running' } as const
  const missed = { ...miss, reasons: [], healthy: true, fired: true, verdict: 'miss' } as const
  expect(statuses({ ...corpus, misses: [missed] })).toEqual([1, 1])
})
