/** The documents name what exists: every test, every source file, every link. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const laws = read('docs/laws.md')

const named = (text: string, pattern: RegExp): string[] =>
  [...text.matchAll(pattern)].flatMap(([, name]) => name ?? [])

test('every test that the laws name exists, and every law but the last names one', () => {
  const tests = named(laws, /`([\w-]+\/test\/[\w-]+\.test\.ts)`/g)
  expect(tests.length).toBeGreaterThan(25)
  for (const path of tests) expect(existsSync(join(root, 'packages', path)), path).toBe(true)
  const rows = laws.split('\n').filter((line) => /^\| \d+\./.test(line))
  expect(rows).toHaveLength(12)
  for (const row of rows) expect(row, row).toMatch(/\.test\.ts`/)
})

test('the code map names every package, and files that exist', () => {
  const map = read('docs/architecture.md')
  const rows = map.split('\n').filter((line) => /^\| `[\w-]+` \|/.test(line))
  const packages = readdirSync(join(root, 'packages'))
  expect(rows.map((row) => /^\| `([\w-]+)`/.exec(row)?.[1]).sort()).toEqual([...packages].sort())
  for (const row of rows) {
    const [name = '', ...files] = named(row, /`([\w./-]+)`/g)
    const places = [join(root, 'packages', name, 'src'), join(root, 'packages', name)]
    for (const file of files.filter((f) => /\.(ts|mjs)$/.test(f))) {
      expect(
        places.some((place) => existsSync(join(place, file))),
        `${name}/${file}`,
      ).toBe(true)
    }
  }
})

const documents = [
  'README.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

test.each(documents)('every link in %s leads somewhere', (path) => {
  for (const link of named(read(path), /\]\(([^)#\s]+)[^)]*\)/g)) {
    if (!/^https?:/.test(link)) expect(existsSync(join(root, dirname(path), link)), link).toBe(true)
  }
})
