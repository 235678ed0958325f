/**
 * What is known of mutants that no test notices: each is listed with the reason why none does, by the line it
 * stands on, so that an entry does not go stale when lines above it come or go.
 */

/**
 * @typedef {object} Position
 * @property {number} line from 1
 * @property {number} column
 */

/**
 * A mutant as Stryker reports it.
 * @typedef {object} Mutant
 * @property {string} fileName from the root
 * @property {string} mutatorName
 * @property {string | undefined} [replacement]
 * @property {{ start: Position, end: Position }} location
 * @property {string} status
 */

/**
 * A reason, and the mutants it explains, as {@link described} writes them.
 * @typedef {{ reason: string, mutants: readonly string[] }} Explanation
 */

/** @param {string} text on one line, its blanks as one */
const onOneLine = (text) => text.replace(/\s+/g, ' ').trim()

/**
 * A mutant in words: file, kind, the line, what is taken out, and what is put there.
 * @param {Mutant} mutant
 * @param {string} source the file's text
 */
export const described = ({ fileName, mutatorName, replacement, location }, source) => {
  const { start, end } = location
  const lines = source.split('\n').slice(start.line - 1, end.line)
  const first = lines[0] ?? ''
  const taken =
    lines.length === 1
      ? first.slice(start.column - 1, end.column - 1)
      : [
          first.slice(start.column - 1),
          ...lines.slice(1, -1),
          lines.at(-1)?.slice(0, end.column - 1),
        ].join('\n')
  const whole = onOneLine(first)
  const out = onOneLine(taken)
  const line = whole === out ? '' : ` in ${whole}`
  return `${fileName}: ${mutatorName}: ${out} => ${onOneLine(replacement ?? '')}${line}`
}

/** @param {Mutant} mutant */
export const isAlive = ({ status }) => status === 'Survived' || status === 'NoCoverage'

/**
 * The share of mutants that were noticed, from 0 to 1; 1 where there was none. Which ones no test reaches is
 * known of all of them, also where one in `every` was run.
 * @param {readonly Mutant[]} mutants
 */
export const scoreOf = (mutants, every = 1) => {
  const count = (/** @type {string[]} */ ...names) =>
    mutants.filter(({ status }) => names.includes(status)).length
  const dead = count('Killed', 'Timeout')
  const counted = dead + count('Survived') + count('NoCoverage') / every
  return counted === 0 ? 1 : dead / counted
}

/**
 * Survivors that nobody has explained, and explanations of what does not survive (any more) in the files
 * that were mutated.
 * @param {readonly Mutant[]} mutants
 * @param {(fileName: string) => string} sourceOf
 * @param {readonly Explanation[]} explanations
 * @returns {{ unexplained: readonly string[], stale: readonly string[] }}
 */
export const compared = (mutants, sourceOf, explanations) => {
  const files = new Set(mutants.map(({ fileName }) => fileName))
  const alive = mutants
    .filter(isAlive)
    .map((mutant) => described(mutant, sourceOf(mutant.fileName)))
  const explained = explanations.flatMap((one) => one.mutants)
  const known = new Set(explained)
  const living = new Set(alive)
  return {
    unexplained: alive.filter((one) => !known.has(one)),
    stale: explained.filter((one) => !living.has(one) && files.has(one.slice(0, one.indexOf(':')))),
  }
}
