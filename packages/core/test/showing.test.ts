/** What is not named is shown by nobody. */
import { Showing, showables, showingOf, unshown } from '@session-recovery/core'
import { expect, test } from 'vitest'

test('of what is not named nobody shows anything, and of what is named whoever is named', () => {
  const none = Object.fromEntries(showables.map((each) => [each, 'nobody']))
  expect(showingOf({})).toEqual(none)
  expect(Showing.is(showingOf({}))).toBe(true)
  for (const each of showables) {
    const showing = showingOf({ [each]: 'kernel' })
    expect(showing).toEqual({ ...none, [each]: 'kernel' })
    expect(unshown(showing)).toEqual(showables.filter((other) => other !== each))
  }
})
