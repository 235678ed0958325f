/** Facts: those that end an incident are among them, and no two share a tag. */
import { Effect, Fact, terminalFacts } from '@session-recovery/core'
import { expect, test } from 'vitest'

test('the facts that end an incident are facts', () => {
  const tags: readonly string[] = Fact.members.map((member) => member.required._tag.value)
  expect(tags).toEqual(expect.arrayContaining([...terminalFacts]))
  expect(terminalFacts.size).toBe(3)
})

test('no two variants share a tag', () => {
  const tagsOf = (
    members: readonly { readonly required: { readonly _tag: { readonly value: string } } }[],
  ) => members.map((member) => member.required._tag.value)
  for (const tags of [tagsOf(Fact.members), tagsOf(Effect.members)]) {
    expect(new Set(tags).size).toBe(tags.length)
  }
})
