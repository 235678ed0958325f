/** One offence of each sort is planted in a tree of its own and has to be reported, alone. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { tidy } from '../tidy.mjs'

const opening = '/** What it is. */\n'
const clean = {
  'packages/core/src/index.ts': `${opening}export const one = 1\n`,
  'packages/core/test/index.test.ts': `${opening}test('one', () => {})\n`,
  'README.md': '# Title\n',
}

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tidy-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const tidyOf = (tree: Readonly<Record<string, string>>): string[] => {
  for (const [path, text] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return tidy(root, Object.keys(tree))
}

/** Offences are spelled in two parts, or this file would be full of them. */
const spelled = (...parts: readonly string[]) => parts.join('')

test('a clean tree has nothing to report', () => {
  expect(tidyOf(clean)).toEqual([])
})

test('an empty tree fails', () => {
  expect(tidyOf({})).toEqual(['saw no source file', 'saw no file that has to be pure'])
})

describe('in pure code', () => {
  const impure: readonly (readonly [line: string, offence: string])[] = [
    ['const at = Date.now()', 'Date.now: time is an argument'],
    ['const at = new Date()', 'new Date(): time is an argument'],
    ['const at = performance.now()', 'performance.now: time is an argument'],
    ['const x = Math.random()', 'Math.random: randomness is an argument'],
    ["import { v4 } from 'uuid'", 'a random uuid: ids are arguments'],
    ['setTimeout(f, 1)', 'setTimeout: deadlines are data'],
    ['setInterval(f, 1)', 'setInterval: deadlines are data'],
    ['const id = process.pid', 'process: the world is an argument'],
    ["import { open } from 'node:fs'", 'a node: import in pure code'],
  ]
  const places = ['packages/core/src/deep/planted.ts', 'packages/engine/src/step-table.ts']

  test.each(impure)('%s', (line, offence) => {
    for (const path of places)
      expect(tidyOf({ ...clean, [path]: `${opening}${line}\n` })).toEqual([`${path}:2: ${offence}`])
  })

  test('is free elsewhere, and in comments', () => {
    const lines = impure.map(([line]) => line).join('\n')
    const comments = impure.map(([line]) => `// ${line}\n/* ${line} */\n`).join('')
    const tree = {
      'packages/engine/src/engine.ts': `${opening}${lines}\n`,
      'packages/core/src/planted.ts': `${opening}${comments}`,
    }
    expect(tidyOf({ ...clean, ...tree })).toEqual([])
  })

  test('a date made of an argument, and a field called process, are pure', () => {
    const text = `${opening}const at = new Date(ms)\nconst pid = receipt.process.pid\n`
    expect(tidyOf({ ...clean, 'packages/core/src/planted.ts': text })).toEqual([])
  })
})

describe('anywhere', () => {
  test.each(['only', 'skip', 'todo'])('a test marked %s', (word) => {
    const path = 'packages/core/test/planted.test.ts'
    const text = `${opening}${spelled('test.', word, "('x', f)")}\n`
    expect(tidyOf({ ...clean, [path]: text })).toEqual([`${path}:2: a test that is left out`])
  })

  test.each([
    [spelled('// TO', 'DO: later'), 'work left for later'],
    [spelled('// FIX', 'ME: later'), 'work left for later'],
    [spelled('const x = y as', ' any'), 'a cast that switches types off'],
    [spelled('// @ts-', 'ignore'), 'a comment that switches types off'],
  ])('%s', (line, offence) => {
    const path = 'packages/core/src/planted.ts'
    expect(tidyOf({ ...clean, [path]: `${opening}${line}\n` })).toEqual([`${path}:2: ${offence}`])
  })

  test.each(['utils', 'common', 'helpers', 'misc', 'string-utils', 'test.helper'])(
    'a file named %s',
    (name) => {
      const path = `packages/core/src/${name}.ts`
      const offence = `${path}: a name that does not say what is inside`
      expect(tidyOf({ ...clean, [path]: opening })).toEqual([offence])
    },
  )

  test('a file that does not open with a comment', () => {
    const path = 'packages/core/src/planted.ts'
    const offence = `${path}: does not open with a comment`
    expect(tidyOf({ ...clean, [path]: 'export const x = 1\n' })).toEqual([offence])
  })

  test('a file over the limit of lines, and not one at the limit', () => {
    const [at, over] = ['packages/core/src/at.ts', 'packages/core/src/over.ts']
    const tree = { [at]: opening.repeat(400), [over]: opening.repeat(401) }
    expect(tidyOf({ ...clean, ...tree })).toEqual([`${over}: 401 lines, the limit is 400`])
  })

  test('a test where no test is run', () => {
    const path = 'packages/core/src/planted.test.ts'
    expect(tidyOf({ ...clean, [path]: opening })).toEqual([`${path}: a test where no test is run`])
  })

  test('a package with code and no test', () => {
    const tree = { 'packages/cli/src/index.ts': opening, 'packages/cli/src/main.ts': opening }
    expect(tidyOf({ ...clean, ...tree })).toEqual(['packages/cli: no test'])
  })
})
