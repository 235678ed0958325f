/** The examples in the docstrings say what is true. */
import { fileURLToPath } from 'node:url'
import * as core from '@session-recovery/core'
import { docExamples, runExample } from '@session-recovery/testkit'
import { expect, test } from 'vitest'

const examples = await docExamples(fileURLToPath(new URL('../src', import.meta.url)))

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(9)
})

test.each(examples.map((example) => [example.where, example] as const))('%s', (_, example) => {
  for (const { expression, actual, expected } of runExample(example, core)) {
    expect(actual, expression).toEqual(expected)
  }
})
