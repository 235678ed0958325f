/**
 * The gate: every check a change has to pass, the same here and in CI.
 * Each step prints one line with its time, and its tool's output when it fails; all of them run, so
 * that one run tells everything. A step that saw less than git lists has failed.
 * `--no-tests` leaves the tests to whoever has just run them.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tidy } from './tidy.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * @param {string} program
 * @param {string[]} args
 * @param {'pipe' | 'inherit'} output
 */
const run = (program, args, output = 'pipe') => {
  const done = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', output, output],
    maxBuffer: 256 * 1024 * 1024,
  })
  const said = `${done.stdout ?? ''}${done.stderr ?? ''}${done.error?.message ?? ''}`
  return { ok: done.status === 0, said, stdout: done.stdout ?? '' }
}

/** @param {string} name */
const tool = (name) => join(root, 'node_modules', '.bin', name)

/** What git knows or would add, without what is deleted in the working tree. */
const listFiles = () => {
  const listed = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'])
  if (!listed.ok) throw new Error(`git cannot list the files: ${listed.said}`)
  return listed.stdout.split('\0').filter((path) => path !== '' && existsSync(join(root, path)))
}

/** @typedef {readonly string[]} Complaints what is wrong, empty when nothing is */

/**
 * @param {readonly string[]} files
 * @returns {Complaints}
 */
const formatAndLint = (files) => {
  // A fixture is what a disk held, to the byte.
  const ours = files.filter((path) => !path.includes('/fixture/'))
  const wanted = ours.filter((path) => /\.([cm]?[jt]s|json)$/.test(path)).length
  const { ok, said } = run(tool('biome'), ['ci', '--colors=off', '--error-on-warnings'])
  const seen = Number(/Checked (\d+) files?/.exec(said)?.[1] ?? 0)
  return [
    ...(ok ? [] : [said]),
    ...(wanted > 0 && seen >= wanted ? [] : [`biome saw ${seen} files, git lists ${wanted}`]),
  ]
}

/** @returns {Complaints} */
const types = () => {
  const folders = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`)
  const { references } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'))
  const built = new Set(references.map((/** @type {{ path: string }} */ { path }) => path))
  const tests = folders.filter((folder) => existsSync(join(root, folder, 'test')))
  const unbuilt = folders.filter((at) => existsSync(join(root, at, 'src')) && !built.has(at))
  const { ok, said } = run(tool('tsc'), ['-b', '.', ...tests.map((folder) => `${folder}/test`)])
  return [
    ...(ok ? [] : [said]),
    ...unbuilt.map((folder) => `${folder} is not among the references of tsconfig.json`),
    ...(built.size > 0 && tests.length > 0 ? [] : ['no project was checked']),
  ]
}

/**
 * @param {readonly string[]} files
 * @returns {Complaints}
 */
const dependencyRules = (files) => {
  const config = ['--config', '.dependency-cruiser.cjs']
  const { said, stdout } = run(tool('depcruise'), [...config, '-T', 'json', 'packages'])
  if (!stdout.startsWith('{')) return [said]
  const { modules, summary } = JSON.parse(stdout)
  const seen = new Set(modules.map((/** @type {{ source: string }} */ { source }) => source))
  const wanted = files.filter((path) => /^packages\/[^/]+\/src\/.*\.[cm]?tsx?$/.test(path))
  return [
    ...summary.violations.map(
      (/** @type {{ rule: { name: string }, from: string, to: string }} */ { rule, from, to }) =>
        `${rule.name}: ${from} -> ${to}`,
    ),
    ...wanted.filter((path) => !seen.has(path)).map((path) => `${path} was not seen`),
    ...(wanted.length > 0 ? [] : ['git lists no source']),
  ]
}

/** @returns {Complaints} */
const tests = () =>
  run(tool('vitest'), ['run', '--config', 'vitest.workspace.ts'], 'inherit').ok
    ? []
    : ['the tests have failed']

/**
 * @param {string} name
 * @param {() => Complaints} check
 */
const step = (name, check) => {
  const startedAtMs = performance.now()
  const complaints = check()
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(1)
  for (const complaint of complaints) console.log(complaint.trimEnd())
  console.log(`verify: ${name} ${complaints.length === 0 ? 'passed' : 'FAILED'} in ${seconds} s`)
  return complaints.length === 0
}

const files = listFiles()
const passed = [
  step('format and lint', () => formatAndLint(files)),
  step('types', types),
  step('dependency rules', () => dependencyRules(files)),
  step('tidy rules', () => tidy(root, files)),
  process.argv.includes('--no-tests') || step('tests', tests),
]
process.exitCode = passed.every(Boolean) ? 0 : 1
