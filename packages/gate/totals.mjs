/**
 * Turns vitest's own totals into the last line of a CI run, and decides how that run ends.
 * Usage: totals.mjs RESULTS.json NAME=EXIT...: each part of the run with its exit status.
 */
import { readFileSync } from 'node:fs'
import { argv, exit } from 'node:process'
import { pathToFileURL } from 'node:url'

/**
 * What a run amounts to. A file that failed to load counts as one failure; in CI nothing may be
 * skipped, as what a test needs is installed there.
 * @param {{ numPassedTests: number, numFailedTests: number, numPendingTests: number,
 *   numTodoTests: number, testResults: { status: string, assertionResults: { status: string }[] }[]
 * }} results
 */
export const totals = (results) => {
  const unloaded = results.testResults.filter(
    (file) =>
      file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'),
  )
  return {
    passed: results.numPassedTests,
    failed: results.numFailedTests + unloaded.length,
    leftOut: results.numPendingTests + results.numTodoTests,
  }
}

/**
 * @param {ReturnType<typeof totals>} count
 * @param {readonly string[]} exits each part with its exit status, as `NAME=EXIT`
 * @returns {string[]} what is wrong with the run, empty when nothing is
 */
export const complaints = ({ passed, leftOut }, exits) => [
  ...exits.flatMap((exit) => {
    const [name, status] = exit.split('=')
    return status === '0' ? [] : [`the ${name} ended with ${status || 'no status'}`]
  }),
  ...(exits.length > 0 ? [] : ['no part of the run was told of']),
  ...(passed > 0 ? [] : ['no test has passed']),
  ...(leftOut === 0 ? [] : [`${leftOut} tests were left out`]),
]

/**
 * A line for each test that failed and each file that did not load, with the beginning of why: it stands at
 * the end of a long run, where it is found.
 * @param {{ testResults: { name: string, status: string, message?: string,
 *   assertionResults: { status: string, fullName?: string, failureMessages?: string[] }[] }[] }} results
 */
export const failures = ({ testResults }) =>
  testResults.flatMap(({ name, status, message = '', assertionResults }) => {
    const failed = assertionResults.filter((test) => test.status === 'failed')
    const file = name.replace(/^.*[/](?=packages[/])/, '')
    if (failed.length === 0) return status === 'failed' ? [`${file}: ${briefly(message)}`] : []
    return failed.map(
      ({ fullName = '', failureMessages = [] }) =>
        `${file}: ${fullName}: ${briefly(failureMessages[0] ?? '')}`,
    )
  })

const mostCharacters = 600

/** @param {string} text */
const briefly = (text) => text.split('\n').slice(0, 6).join(' | ').slice(0, mostCharacters)

const nothing = { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 }

/** @param {string} path */
const readResults = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return { ...nothing, testResults: [] }
  }
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) {
  const [path = '', ...exits] = argv.slice(2)
  const results = readResults(path)
  const count = totals(results)
  const wrong = complaints(count, exits)
  for (const failure of failures(results)) console.log(`ci: failed: ${failure}`)
  for (const complaint of wrong) console.log(`ci: ${complaint}`)
  console.log(`${count.passed} passed, ${count.failed} failed`)
  exit(wrong.length === 0 && count.failed === 0 ? 0 : 1)
}
