/** Free text: cut, and without secrets, wherever it stands in what is decided on; nothing else is touched. */
import { expect, test } from 'vitest'
import { cleaned, cleanText, freeTextLimit } from '../src/free-text.js'

const secret = 'correct-horse-battery'
const known = { secrets: new Map([['secret:1', secret]]), declared: ['zebra'] }

test('a text has no secrets, of value or of name, and is cut', () => {
  expect(cleanText(`it said ${secret}`, known)).not.toContain(secret)
  expect(cleanText('zebra=stripes-and-hooves', known)).not.toContain('stripes-and-hooves')
  expect(cleanText('plain', known)).toBe('plain')
  expect(cleanText('x'.repeat(freeTextLimit + 1), known)).toHaveLength(freeTextLimit)
})

test('in data the free texts alone are cleaned, in lists and below', () => {
  const at = new Date(5)
  const dirty = `got ${secret}`
  for (const field of ['detail', 'reason', 'why', 'unknownCommands', 'setAside']) {
    expect(JSON.stringify(cleaned({ a: [{ [field]: dirty }] }, known))).not.toContain(secret)
    expect(JSON.stringify(cleaned({ [field]: [dirty] }, known))).not.toContain(secret)
  }
  const other = { sessionId: dirty, atMs: 5, nothing: null, yes: true, at, gone: undefined }
  expect(cleaned(other, known)).toEqual(other)
  // Names stay what they are, but those of variables.
  const named = { options: { [dirty]: 1 } }
  expect(cleaned(named, known)).toEqual(named)
  expect(cleaned(other, known).at).toBe(at)
  expect(cleaned(null, known)).toBe(null)
  expect(cleaned(dirty, known)).toBe(dirty)
})

test('what is cleaned is a copy, and names of variables are cleaned, too', () => {
  const event = {
    type: 'x',
    detail: secret,
    receipt: { origins: { [`A${secret}`]: 'b', PATH: 'c' } },
  }
  const before = structuredClone(event)
  const clean = cleaned(event, known)
  expect(event).toEqual(before)
  expect(JSON.stringify(clean)).not.toContain(secret)
  expect(Object.values(clean.receipt.origins)).toEqual(['b', 'c'])
  expect(clean.receipt.origins.PATH).toBe('c')
})
