/**
 * Texts that break what quotes badly: quotes, newlines, escapes, `$(…)`, leading dashes, control
 * characters, characters of several bytes. Were one executed, the shell that did it would be killed.
 */
import fc from 'fast-check'
import { anyCharacter } from './arbitrary.js'

const pieces = [
  ...["'", '"', '\\', '`', '$', '$(kill -9 $$)', '!', '\n', '\r', '\t', '\x1b', '\x07', '\x7f'],
  ...['\x01', ' ', '  ', ';', '#', '~', '*', '-', '--', '=', '$'.concat('{x}'), '$((1))'],
  ...[
    '%',
    '%n',
    '&',
    '|',
    '\n.\n',
    '\n}\n',
    '\nEOF\n',
    '<<EOF',
    '`kill -9 $$`',
    "'; kill -9 $$; '",
  ],
  ...['é', '😀', '\u009c', '\u0301', '日本', '\u200b', '\ufeff', '\ue000', '\\n', "$'x'", 'a', 'Z'],
] as const

/** Any text that an environment variable can hold. */
export const hostileText: fc.Arbitrary<string> = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(...pieces),
      fc.constantFrom(...pieces),
      fc.string({ unit: anyCharacter, maxLength: 3 }),
    ),
  })
  // A lone surrogate is no character that a process could be given.
  .map((text) => Buffer.from(text.replaceAll('\0', '')).toString())

/** Any name that a directory can have. */
export const hostileName: fc.Arbitrary<string> = hostileText
  .map((text) => cutTo(text.replaceAll('/', ''), nameLimitBytes))
  .filter((name) => name !== '' && name !== '.' && name !== '..')

const nameLimitBytes = 200

const cutTo = (text: string, bytes: number): string => {
  let cut = ''
  for (const character of text) {
    if (Buffer.byteLength(cut + character) > bytes) break
    cut += character
  }
  return cut
}

/** So many of them, always the same for a seed. */
export const sampled = <A>(from: fc.Arbitrary<A>, count: number, seed: number): readonly A[] =>
  fc.sample(from, { numRuns: count, seed })
