/**
 * Mutation testing: changes the sources in thousands of small ways, one at a time, and sees whether a test
 * fails. `npm run mutate` takes all of them, `-- --package core` one package, `-- --mutate FILE,FILE` some
 * files. What did not change since the last run is not run again unless `--fresh` says so. What is made once, when
 * a module is loaded, takes long to mutate and is left out unless `--static` asks for it. `--sample 20`
 * runs one mutant in twenty, for an estimate, and `--sample 20/7` others. `--again FILE` runs those alone that
 * survived according to FILE, which is what an earlier run wrote to `.mutation/found-PACKAGE.tsv`. `--lanes 2`
 * tries two at a time, `--tests line,store-*` these test files alone: what only others notice is not noticed then.
 *
 * It fails where less than nine in ten are noticed, and where one that is not noticed stands without a reason
 * in survivor.json.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'
import { compared, scoreOf } from './survivor.mjs'
import { targets } from './target.mjs'

const LEAST_SCORE = 0.9
/** Random tests try the same values for each mutant, and fewer than they do elsewhere. */
const SEED = '1'
const RUNS = '20'
/** What tests write is kept in memory where there is such a place: a flush to a disk takes longer than most tests. */
const TMPDIR = `${existsSync('/dev/shm') ? '/dev/shm' : tmpdir()}/mutation-${process.pid}`

/** @typedef {import('./survivor.mjs').Mutant} Mutant */
/** @typedef {import('./target.mjs').Target} Target */

process.chdir(fileURLToPath(new URL('../../..', import.meta.url)))

const { values } = parseArgs({
  options: {
    package: { type: 'string' },
    mutate: { type: 'string' },
    fresh: { type: 'boolean', default: false },
    sample: { type: 'string', default: '1' },
    again: { type: 'string', default: '' },
    static: { type: 'boolean', default: false },
    lanes: { type: 'string', default: '1' },
    tests: { type: 'string', default: '*' },
  },
})

/** Whether each mutant is run. */
const isWhole = values.sample === '1' && values.again === ''

/** @param {string} name of a file beside this one */
const beside = (name) => fileURLToPath(new URL(name, import.meta.url))

/**
 * @param {string} name
 * @param {Target} target
 * @param {readonly string[]} files
 * @returns {Promise<readonly Mutant[]>}
 */
const mutated = async (name, { tests, always = [] }, files) => {
  const incrementalFile = `.mutation/incremental-${name}.json`
  mkdirSync('.mutation', { recursive: true })
  if (values.fresh) rmSync(incrementalFile, { force: true })
  mkdirSync(TMPDIR, { recursive: true })
  const MUTATION_LOG = `.mutation/found-${name}.tsv`
  Object.assign(process.env, { MUTATED: tests, SEED, RUNS, TMPDIR, MUTATION_LOG })
  process.env.MUTATION_DURATIONS = `${TMPDIR}/durations-${name}.json`
  process.env.MUTATION_SAMPLE = values.sample
  process.env.MUTATION_TESTS = values.tests
  process.env.MUTATION_ALWAYS = always.join(',')
  process.env.MUTATION_AGAIN = values.again === '' ? '' : resolve(values.again)
  const results = await new Stryker({
    mutate: [...files],
    testRunner: 'warm',
    plugins: [beside('warm-runner.mjs'), beside('prose.mjs'), beside('found.mjs')],
    ignorers: ['prose'],
    vitest: { configFile: 'packages/gate/mutation/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    // What is made when a module loads needs a new process and every test, for each mutant.
    ignoreStatic: !values.static,
    concurrency: Number(values.lanes),
    // What a sample leaves out must not pass for known.
    incremental: isWhole && values.tests === '*',
    incrementalFile,
    tempDirName: `.mutation/sandbox-${name}`,
    cleanTempDir: 'always',
    ignorePatterns: [
      '**',
      '!package.json',
      '!tsconfig*.json',
      '!packages/*/{package,tsconfig*}.json',
      '!packages/*/{src,test}/**',
      '!packages/gate/mutation/**',
    ],
    // TypeScript 7 has none of the interface it would be read with.
    tsconfigFile: 'none.json',
    disableTypeChecks: false,
    reporters: ['found', 'progress-append-only', 'clear-text', 'html', 'json'],
    clearTextReporter: {
      allowColor: false,
      logTests: false,
      reportTests: false,
      reportMutants: false,
    },
    htmlReporter: { fileName: `.mutation/report-${name}.html` },
    jsonReporter: { fileName: `.mutation/report-${name}.json` },
    allowConsoleColors: false,
    // A loaded machine must not pass for an endless loop.
    timeoutMS: 30_000,
    dryRunTimeoutMinutes: 15,
  }).runMutationTest()
  return results.map((result) => ({
    ...result,
    fileName: result.fileName.replace(`${process.cwd()}/`, ''),
  }))
}

/**
 * @param {string} owner
 * @param {readonly Mutant[]} mutants
 * @param {number} startedAtMs
 */
const told = (owner, mutants, startedAtMs) => {
  const score = scoreOf(mutants, Number(values.sample.split('/')[0]))
  const counted = ['Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored'].map(
    (status) => `${mutants.filter((one) => one.status === status).length} ${status}`,
  )
  const minutes = ((performance.now() - startedAtMs) / 60_000).toFixed(1)
  const percent = (Math.floor(score * 1_000) / 10).toFixed(1)
  console.log(`mutate: ${owner}: ${percent} % noticed in ${minutes} min: ${counted.join(', ')}`)
  return score >= LEAST_SCORE
}

const chosenFiles = values.mutate?.split(',')
/** @param {Target} target */
const filesOf = ({ files }) =>
  chosenFiles?.filter(
    (file) =>
      files.includes(file) ||
      (!files.includes(`!${file}`) && files[0] === file.replace(/[^/]+$/, '*.ts')),
  ) ?? files
const chosen = Object.entries(targets).filter(
  ([name, target]) =>
    [undefined, target.owner, name].includes(values.package) && filesOf(target).length > 0,
)
if (chosen.length === 0) throw new Error('nothing of what is mutated was chosen')

const explanations = JSON.parse(readFileSync(beside('survivor.json'), 'utf8'))
let passed = true
for (const owner of new Set(chosen.map(([, target]) => target.owner))) {
  const startedAtMs = performance.now()
  /** @type {Mutant[]} */
  const mutants = []
  for (const [name, target] of chosen.filter((one) => one[1].owner === owner))
    mutants.push(...(await mutated(name, target, filesOf(target))))
  const sourceOf = (/** @type {string} */ file) => readFileSync(file, 'utf8')
  const { unexplained, stale } = compared(mutants, sourceOf, explanations)
  for (const one of unexplained) console.log(`mutate: unexplained: ${one}`)
  if (isWhole)
    for (const one of stale) console.log(`mutate: explained, and does not survive: ${one}`)
  if (!told(owner, mutants, startedAtMs) || unexplained.length > 0) passed = false
}
rmSync(TMPDIR, { recursive: true, force: true })
process.exitCode = passed ? 0 : 1
