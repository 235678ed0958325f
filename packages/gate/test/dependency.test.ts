/** The dependency rules, seen to fail: one breach of each is planted in a tree of its own. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
const packages = ['core', 'engine', 'testkit', 'cli'] as const
const libraries = ['fp-ts', 'xstate', 'fast-check'] as const

/** What each planted file imports, and the rules it breaks. */
const planted: Readonly<Record<string, readonly [specifier: string, ...rules: string[]]>> = {
  'packages/core/src/fine.ts': ['fp-ts'],
  'packages/core/src/library.ts': ['xstate', 'core-imports-only-its-row'],
  'packages/core/src/builtin.ts': ['node:fs', 'core-imports-only-its-row'],
  'packages/core/src/upward.ts': ['@session-recovery/engine', 'core-imports-only-its-row'],
  'packages/core/src/self.ts': ['./self.js', 'no-cycle'],
  'packages/engine/src/fine.ts': ['@session-recovery/core'],
  'packages/engine/src/builtin-is-fine.ts': ['node:fs'],
  'packages/engine/src/kit.ts': ['@session-recovery/testkit', 'engine-imports-only-its-row'],
  'packages/engine/src/program.ts': ['@session-recovery/cli', 'engine-imports-only-its-row'],
  'packages/engine/src/path.ts': ['../../core/src/index.js', 'other-packages-by-name-only'],
  'packages/engine/src/deep.ts': [
    '@session-recovery/core/src/fine.js',
    'engine-imports-only-its-row',
    'no-unresolvable',
  ],
  'packages/engine/test/path.test.ts': ['../../core/src/fine.js', 'other-packages-by-name-only'],
  'packages/cli/src/kit.ts': ['@session-recovery/testkit', 'cli-imports-only-its-row'],
  'packages/newcomer/src/index.ts': ['fp-ts', 'every-package-has-a-row'],
  'packages/gate/setup.mjs': ['fp-ts', 'gate-uses-node-alone'],
}

let root = ''

const write = (path: string, text: string) => {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'dependency-'))
  for (const name of packages) {
    const exports = { '.': { source: './src/index.ts', default: './dist/index.js' } }
    write(`packages/${name}/package.json`, JSON.stringify({ type: 'module', exports }))
    write(`packages/${name}/src/index.ts`, 'export {}\n')
    mkdirSync(join(root, 'node_modules/@session-recovery'), { recursive: true })
    symlinkSync(
      join(root, 'packages', name),
      join(root, 'node_modules/@session-recovery', name),
      'dir',
    )
  }
  for (const name of libraries) write(`node_modules/${name}/index.js`, '')
  for (const [path, [specifier]] of Object.entries(planted)) write(path, `import '${specifier}'\n`)
})
afterAll(() => rmSync(root, { recursive: true }))

test('each breach is reported under its rule, and what is allowed is not', () => {
  const program = join(repository, 'node_modules/.bin/depcruise')
  const config = join(repository, '.dependency-cruiser.cjs')
  const { stdout } = spawnSync(program, ['--config', config, '-T', 'json', 'packages'], {
    cwd: root,
    encoding: 'utf8',
  })
  const violations: { from: string; rule: { name: string } }[] =
    JSON.parse(stdout).summary.violations
  const rulesOf = (path: string) =>
    violations.filter(({ from }) => from === path).map(({ rule }) => rule.name)

  for (const [path, [, ...rules]] of Object.entries(planted))
    expect({ path, rules: rulesOf(path).toSorted() }).toEqual({ path, rules })
  expect(violations.map(({ from }) => from).filter((path) => !(path in planted))).toEqual([])
})
