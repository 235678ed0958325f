/** What bash writes is read to the letter, and what we write is read by bash to the letter. */
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { defaultPolicy } from '@session-recovery/core'
import { merged, readAssignments, readWord } from '@session-recovery/shell'
import { hostileName, hostileText, sampled } from '@session-recovery/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { died, type Rig, rigOf } from './rig.js'

const rigs: Rig[] = []
const rig = (): Rig => {
  const made = rigOf()
  rigs.push(made)
  return made
}
afterEach(async () => {
  await Promise.all(rigs.splice(0).map((made) => made.close()))
})

// Another seed each time; a failure shows it, and SEED=… replays it.
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const replay = `replay: SEED=${seed} npx vitest run --config vitest.workspace.ts --project adapter-pty quoting`

describe('words that bash writes', () => {
  it('are read in every form bash has', () => {
    const readings: readonly (readonly [string, string])[] = [
      ["''", ''],
      ["'a b'", 'a b'],
      [String.raw`'it'\''s'`, "it's"],
      ['"a \\"b\\" \\$c \\`d \\\\ \\n"', 'a "b" $c `d \\ \\n'],
      ["$'\\n\\t\\E\\e\\a\\b\\f\\v\\r\\\\\\'\\\"\\?'", '\n\t\x1b\x1b\x07\b\f\v\r\\\'"?'],
      ["$'\\303\\251\\1\\x41'", 'é\x01A'],
      ['a/b.c-d_e:1', 'a/b.c-d_e:1'],
    ]
    for (const [written, meant] of readings) {
      expect(readWord(written, 0)).toEqual({ text: meant, end: written.length })
    }
  })

  it('are refused when they are none', () => {
    for (const wrong of ["'a", '"a', "$'a", 'a;b', '$(x)', "$'\\q'", '\\']) {
      expect(readWord(wrong, 0)).toBeUndefined()
    }
    expect(readAssignments("A='1' x")).toBeUndefined()
  })

  it('name what is no text', () => {
    expect(readAssignments("A='1' B=$'\\377' C='2'")).toEqual({
      values: new Map([
        ['A', '1'],
        ['C', '2'],
      ]),
      unreadable: ['B'],
    })
  })
})

describe('values', () => {
  it.each(['C.UTF-8', 'C'])(
    'of the environment come back to the letter, locale %s',
    async (lang) => {
      const { env, open, capture } = rig()
      const values = sampled(hostileText, 400, seed)
      const hostile = Object.fromEntries(values.map((v, i) => [`V${i}`, v]))
      await open('a', { env: { ...env, LANG: lang, LC_ALL: lang, ...hostile } })
      const { environment = {} } = (await capture('a')).update
      for (const [name, wanted] of Object.entries(hostile)) {
        expect(environment[name], replay).toBe(wanted)
      }
    },
  )

  it('of environment, history and directory are restored to the letter, and none is executed', async () => {
    const { env, home, open, run, verify, snapshot, driver, observed } = rig()
    const [name = ''] = sampled(hostileName, 1, seed)
    const cwd = join(realpathSync(home), name)
    mkdirSync(cwd)
    const session = await open('a', { env })
    const before = await snapshot('a')
    process.kill(session.pid() ?? 0, 'SIGKILL')
    await died({ observed } as Rig, 'a')
    const values = sampled(hostileText, 300, seed + 1)
    const lines = sampled(hostileText, 300, seed + 2).filter((line) => line.trim() !== '')
    const wanted = {
      ...before,
      workingDirectory: cwd,
      environment: { ...env, ...Object.fromEntries(values.map((v, i) => [`V${i}`, v])) },
      commandHistory: lines,
    }
    expect(await run('a', 'restore', { snapshot: wanted })).toMatchObject({ _tag: 'done' })
    const verdict = await verify('a', 'restore')
    if (verdict._tag !== 'alive') throw new Error(verdict.detail)
    const { cwd: where, env: variables, history } = verdict.receipt.items
    expect(
      [where, variables, history].map(({ status }) => status),
      replay,
    ).toEqual(['restored', 'restored', 'restored'])
    expect(variables.detail).toContain('305 variables compared equal')
    expect((await snapshot('a')).workingDirectory).toBe(cwd)
    expect(driver.session('a')?.output()).not.toContain('command not found')
  })
})

describe('a name that is no name', () => {
  it('never reaches the shell as one', () => {
    const whole = { isWhole: true, lostNames: [], policy: defaultPolicy }
    const trap = { 'x[$(kill -9 $$)]': '1', 'a b': '2', FINE: '3' }
    expect(merged(trap, {}, whole).fromSnapshot).toEqual(['FINE'])
    expect(Object.keys(merged(trap, {}, whole).environment)).toEqual(['FINE'])
  })
})
