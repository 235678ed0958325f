/** Secrets that repeat themselves, overlap one another or were cut: nothing of them is left. */
import { redactedText, withoutSecrets, withoutSecretsOrRests } from '@session-recovery/core'
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

// Of two letters, so that they overlap.
const letters = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b'), minLength, maxLength })
const secrets = fc.array(letters(6, 10), { minLength: 1, maxLength: 3 })
const text = letters(0, 60)

const leftOf = (clean: string): readonly string[] => clean.split(redactedText)

/** Whether each character of `text` stands in some occurrence of a secret. */
const covered = (text: string, secrets: readonly string[]): readonly boolean[] =>
  [...text].map((_, i) =>
    secrets.some((secret) => [...secret].some((_, k) => i >= k && text.startsWith(secret, i - k))),
  )

describe('withoutSecrets', () => {
  test('takes what is covered by a secret, and nothing else', () => {
    holds(
      fc.property(text, secrets, (text, secrets) => {
        const kept = covered(text, secrets)
          .map((isCovered, i) => (isCovered ? '' : text[i]))
          .join('')
        expect(leftOf(withoutSecrets(text, secrets)).join('')).toBe(kept)
      }),
    )
  })
})

describe('withoutSecretsOrRests', () => {
  test('leaves no telling part of a secret where the text was cut', () => {
    holds(
      fc.property(letters(1, 20), secrets, letters(1, 20), (before, secrets, after) => {
        const whole = `${before}${secrets.join('')}${after}`
        for (let from = 0; from < whole.length; from += 3) {
          const cut = whole.slice(from, from + 30)
          const left = withoutSecretsOrRests(cut, secrets)
          for (const secret of secrets) {
            for (const part of leftOf(left)) expect(part).not.toContain(secret)
            expect(left.startsWith(secret.slice(-4)), left).toBe(false)
            expect(left.endsWith(secret.slice(0, 4)), left).toBe(false)
          }
        }
      }),
    )
  })

  test('takes one that repeats itself whole, although its beginning ends the text', () => {
    expect(withoutSecretsOrRests('curl hunter2hunter2', ['hunter2hunter2'])).toBe('curl [secret]')
  })
})
