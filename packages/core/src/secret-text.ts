/**
 * Secrets in free text, where a name says that one follows: `API_TOKEN=…`, `--password …`,
 * `"secret": "…"`, `set -x KEY …`, `scheme://user:…@host`. A command line is such a text: what it sets is not
 * known as a secret yet when the line is.
 */
import { isSecretName, isSecretReference, redactedText } from './secret-name.js'

/** Whether a name, in a variable's or an option's spelling, is that of a secret. */
export type IsSecretName = (name: string) => boolean

// No match can begin within a name, so that looking takes no longer than the text is.
const naming =
  /(?<![\w.-])(?:-{0,2}([a-z_][\w.-]*)\\?["']?\s*[=:]\s*|--([a-z_][\w-]*)\s+(?!-)|set\s+(?:-\S+\s+){0,8}([a-z_]\w*)\s+)/gi
// What a text must hold for any of that: most hold none of it, and to look for this is quick.
const mayName = /[=:]|--|set\s/i
const given = /(?:bearer|basic)\s+\S+|"[^"]*"?|'[^']*'?|\S+/iy
const inAddress = /(:\/\/[^\s/:@]{0,256}:)([^\s/@]+)(?=@)/g

/** Names that hold secrets: by their looks, or `declared`. Options are read as variables are. */
export const secretNames =
  (declared: readonly string[]): IsSecretName =>
  (name) =>
    isSecretName(name, declared) || isSecretName(name.replaceAll('-', '_'), declared)

/**
 * `text` without the values that it gives to secret names. What is only looked up there (`$OTHER`,
 * `$(command)`) is no value and stays.
 *
 * @param take is told each value, as it stands there and without its quotes.
 *
 * @example
 * withoutNamedSecrets("export API_TOKEN='a b' N=1", secretNames([])) // => 'export API_TOKEN=[secret] N=1'
 * withoutNamedSecrets('login --password hunter2', secretNames([])) // => 'login --password [secret]'
 * withoutNamedSecrets('TOKEN=$OTHER', secretNames([])) // => 'TOKEN=$OTHER'
 */
export const withoutNamedSecrets = (
  text: string,
  isSecret: IsSecretName,
  take: (secret: string) => void = () => {},
): string => {
  if (!mayName.test(text)) return text
  const addressed = text.replace(inAddress, (whole, before: string, value: string) => {
    if (value === redactedText) return whole
    take(value)
    return `${before}${redactedText}`
  })
  let out = ''
  let doneTo = 0
  for (const match of addressed.matchAll(naming)) {
    const start = match.index + match[0].length
    if (match.index < doneTo || !isSecret(match[1] ?? match[2] ?? match[3] ?? '')) continue
    given.lastIndex = start
    const value = given.exec(addressed)?.[0]
    if (value === undefined || isKnown(value) || isLookedUp(value)) continue
    take(value)
    take(bare(value))
    out += `${addressed.slice(doneTo, start)}${redactedText}`
    doneTo = start + value.length
  }
  return out + addressed.slice(doneTo)
}

/** It was taken out before. */
const isKnown = (value: string): boolean => isSecretReference(value) || value.includes(redactedText)

const isLookedUp = (value: string): boolean => /^"?(?:\$[\w{(]|`)/.test(value)

const bare = (value: string): string =>
  value.replace(/^(?:bearer|basic)\s+/i, '').replace(/^["']|["'.,;)\]}]+$/g, '')
