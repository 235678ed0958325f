/**
 * Where in a text known secrets stand. Occurrences may overlap, of one secret that repeats itself and of two,
 * and a text that was cut holds the rest of one at its ends: whatever is covered by any of them goes.
 */
import { redactedText } from './secret-name.js'

/** From the first character to the one after the last. */
type Span = readonly [from: number, to: number]

// Fewer characters than this are no telling part of a secret.
const shortestRest = 4

const spansOf = (text: string, secret: string): readonly Span[] => {
  const spans: Span[] = []
  for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1)) {
    spans.push([at, at + secret.length])
  }
  return spans
}

/** What is left of `secret` where the text was cut. */
const restsOf = (text: string, secret: string): readonly Span[] => {
  const longest = Math.min(secret.length - 1, text.length)
  const count = Math.max(0, longest - shortestRest + 1)
  const lengths = Array.from({ length: count }, (_, i) => longest - i)
  const first = lengths.find((length) => text.startsWith(secret.slice(-length)))
  const last = lengths.find((length) => text.endsWith(secret.slice(0, length)))
  return [
    ...(first === undefined ? [] : [[0, first] as const]),
    ...(last === undefined ? [] : [[text.length - last, text.length] as const]),
  ]
}

const without = (text: string, spans: readonly Span[]): string => {
  if (spans.length === 0) return text
  let out = ''
  let doneTo = 0
  let until = 0
  for (const [from, to] of [...spans].sort(([a], [b]) => a - b)) {
    // Of two that overlap the second only lengthens the first.
    if (from >= until) {
      out += `${text.slice(doneTo, from)}${redactedText}`
      until = to
    }
    until = Math.max(until, to)
    doneTo = until
  }
  return out + text.slice(doneTo)
}

/**
 * `text` with every occurrence of each of `secrets` replaced.
 *
 * @example
 * withoutSecrets('curl -H hunter2hunter2', ['hunter2hunter2']) // => 'curl -H [secret]'
 * withoutSecrets('ababab', ['abab']) // => '[secret]'
 */
export const withoutSecrets = (text: string, secrets: readonly string[]): string =>
  secrets.length === 0
    ? text
    : without(
        text,
        secrets.flatMap((secret) => spansOf(text, secret)),
      )

/**
 * The same for output, which is cut by whoever kept it, and ends in the middle of what a program is saying.
 *
 * @example
 * withoutSecretsOrRests('er2 and hunt', ['hunter2']) // => 'er2 and [secret]'
 * withoutSecretsOrRests('hunter2hunter2hun', ['hunter2hunter2']) // => '[secret]'
 */
export const withoutSecretsOrRests = (text: string, secrets: readonly string[]): string =>
  without(
    text,
    secrets.flatMap((secret) => [...spansOf(text, secret), ...restsOf(text, secret)]),
  )
