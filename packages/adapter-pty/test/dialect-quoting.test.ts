/** What zsh and fish write is read to the letter, and what we write they read to the letter. */
import { mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { readAssignments, readWord } from '@session-recovery/shell'
import { hostileName, hostileText, sampled } from '@session-recovery/testkit'
import { afterEach, it as always, describe, expect } from 'vitest'
import { type DialectRig, dialectRig, dialects, needing } from './dialect.js'
import { died } from './rig.js'

let rig: DialectRig | undefined
afterEach(async () => {
  await rig?.close()
  rig = undefined
})

// Another seed each time; a failure shows it, and SEED=… replays it.
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const replay = `replay: SEED=${seed} npx vitest run --config vitest.workspace.ts --project adapter-pty dialect-quoting`

describe('words that fish writes', () => {
  always('are read to the letter, and told from those of bash by their sign', () => {
    expect(readWord('^a%20%C3%A9%0A/._~-', 0)).toEqual({ text: 'a é\n/._~-', end: 19 })
    expect(readWord('^', 0)).toEqual({ text: '', end: 1 })
    expect(readWord('^%FF', 0)).toEqual({ end: 4 })
    expect(readAssignments("A=^ B=^%F0%9F%98%80 C=^%C3 D='1'")).toEqual({
      values: new Map([
        ['A', ''],
        ['B', '😀'],
        ['D', '1'],
      ]),
      unreadable: ['C'],
    })
  })

  always('are refused when they are none', () => {
    for (const wrong of ['A=^%2', 'A=^a;b', 'A=^$(x)', 'A=^%zz', 'A=x^']) {
      expect(readAssignments(wrong)).toBeUndefined()
    }
  })
})

describe.each(dialects)('values of $shell', (dialect) => {
  const { shell } = dialect
  const it = needing(shell)

  it.each(['C.UTF-8', 'C'])(
    'of the environment come back to the letter, locale %s',
    async (locale) => {
      rig = dialectRig(dialect)
      const hostile = Object.fromEntries(
        sampled(hostileText, 400, seed).map((value, i) => [`V${i}`, value]),
      )
      const env = { ...rig.env, LANG: locale, LC_ALL: locale, ...hostile }
      const session = await rig.openShell('a', { env })
      const { environment = {} } = (await rig.capture('a')).update
      await session.exec('env -0 > seen')
      const seen = new Map(
        readFileSync(join(rig.home, 'seen'), 'utf8')
          .split('\0')
          .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      )
      // In the locale C fish itself gives its children other bytes than it was given.
      const mangles = shell === 'fish' && locale === 'C'
      for (const [name, given] of Object.entries(hostile)) {
        expect(environment[name], replay).toBe(mangles ? seen.get(name) : given)
        expect(seen.get(name), replay).toBe(environment[name])
      }
    },
  )

  it('that are no text are named, and the others are not touched by them', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    const bytes = String.raw`\xff\xfe`
    await session.exec(shell === 'zsh' ? `export BAD=$'${bytes}' A=1` : `set -gx BAD ${bytes}`)
    await session.exec(dialect.exports({ GOOD: 'é' }))
    const { environment } = (await rig.capture('a')).update
    expect(environment).toMatchObject({ GOOD: 'é' })
    expect(environment).not.toHaveProperty('BAD')
  })

  it('of environment, history and directory are restored to the letter, and none is executed', async () => {
    rig = dialectRig(dialect)
    const { env, home } = rig
    const [name = ''] = sampled(hostileName, 1, seed)
    const cwd = join(realpathSync(home), name)
    mkdirSync(cwd)
    const session = await rig.openShell('a')
    const before = await rig.snapshot('a')
    process.kill(session.pid() ?? 0, 'SIGKILL')
    await died(rig, 'a')
    const values = sampled(hostileText, 300, seed + 1)
    const lines = sampled(hostileText, 300, seed + 2).filter((line) => line.trim() !== '')
    // Fish of this age has no way to be given lines that it does not know.
    const commandHistory = shell === 'fish' ? [] : lines
    if (shell === 'zsh') rig.writeStartUp('HISTSIZE=1000')
    const snapshot = {
      ...before,
      workingDirectory: cwd,
      environment: { ...env, ...Object.fromEntries(values.map((v, i) => [`V${i}`, v])) },
      commandHistory,
    }
    expect(await rig.run('a', 'restore', { snapshot })).toMatchObject({ _tag: 'done' })
    const verdict = await rig.verify('a', 'restore')
    if (verdict._tag !== 'alive') throw new Error(verdict.detail)
    const { cwd: where, env: variables, history } = verdict.receipt.items
    expect([where.status, variables.status], replay).toEqual(['restored', 'restored'])
    expect(variables.detail).toContain('305 variables compared equal')
    if (shell === 'zsh') expect(history.status, replay).toBe('restored')
    expect((await rig.snapshot('a')).workingDirectory).toBe(cwd)
    expect(session.output()).not.toMatch(/command not found|Unknown command/)
  })
})
