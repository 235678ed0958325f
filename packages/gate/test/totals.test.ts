/** The last line of a CI run must not be greener than the run. */
import { expect, test } from 'vitest'
import { complaints, failures, totals } from '../totals.mjs'

const results = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed' }] }],
}

test('a good run has nothing against it', () => {
  expect(totals(results)).toEqual({ passed: 3, failed: 0, leftOut: 0 })
  expect(complaints(totals(results), ['tests=0', 'gate=0', 'drill=0'])).toEqual([])
})

test('a file that does not load is a failure', () => {
  const unloaded = { status: 'failed', assertionResults: [] }
  const count = totals({ ...results, testResults: [...results.testResults, unloaded] })
  expect(count).toEqual({ passed: 3, failed: 1, leftOut: 0 })
})

test('a file whose tests failed is not counted twice', () => {
  const file = { status: 'failed', assertionResults: [{ status: 'failed' }] }
  const count = totals({ ...results, numFailedTests: 1, testResults: [file] })
  expect(count).toEqual({ passed: 3, failed: 1, leftOut: 0 })
})

test('nothing run, something left out, and a bad exit each count against the run', () => {
  const good = totals(results)
  const well = ['tests=0', 'gate=0']
  expect(complaints({ ...good, passed: 0 }, well)).toEqual(['no test has passed'])
  expect(complaints({ ...good, leftOut: 2 }, well)).toEqual(['2 tests were left out'])
  expect(complaints(good, ['tests=1', 'gate=0'])).toEqual(['the tests ended with 1'])
  expect(complaints(good, ['tests=0', 'gate='])).toEqual(['the gate ended with no status'])
  expect(complaints(good, ['drill'])).toEqual(['the drill ended with no status'])
  expect(complaints(good, [])).toEqual(['no part of the run was told of'])
})

test('what failed is named at the end, with the beginning of why', () => {
  const failed = {
    name: '/somewhere/packages/core/test/a.test.ts',
    status: 'failed',
    assertionResults: [
      { status: 'passed', fullName: 'is well' },
      { status: 'failed', fullName: 'is red', failureMessages: ['expected 1\nto be 2'] },
    ],
  }
  const unloaded = {
    name: '/somewhere/packages/core/test/b.test.ts',
    status: 'failed',
    message: 'no such module',
    assertionResults: [],
  }
  const passed = { name: 'c', status: 'passed', assertionResults: [{ status: 'passed' }] }
  expect(failures({ testResults: [failed, unloaded, passed] })).toEqual([
    'packages/core/test/a.test.ts: is red: expected 1 | to be 2',
    'packages/core/test/b.test.ts: no such module',
  ])
})
