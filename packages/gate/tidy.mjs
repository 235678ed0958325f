/**
 * Habits kept by a check, so that no review has to look for them: names that say what is inside,
 * files that open with a comment and stay short, purity, and nothing left for later.
 * It reads text, not syntax: fast, and easy to extend by a row.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const LINES_LIMIT = 400

const source = /\.[cm]?[jt]sx?$/
const pure = /^packages\/(core\/src\/|engine\/src\/(machine|step|table|compile)[^/]*(\/.*)?\.ts$)/
const test = /^packages\/[^/]+\/test\//
const vagueName = /(^|[/._-])(utils?|common|helpers?|misc)(?=[/._-]|$)/i

/**
 * What may not stand in files whose path `where` matches: `code` is looked for outside comments,
 * `text` everywhere.
 * @typedef {{ where: RegExp, code?: RegExp, text?: RegExp, offence: string }} Rule
 */

/** @type {readonly Rule[]} */
const forbidden = [
  { where: pure, code: /\bDate\.now\b/, offence: 'Date.now: time is an argument' },
  {
    where: pure,
    code: /\bnew\s+Date\b(\s*\(\s*\)|(?!\s*\())/,
    offence: 'new Date(): time is an argument',
  },
  { where: pure, code: /\bperformance\.now\b/, offence: 'performance.now: time is an argument' },
  { where: pure, code: /\bMath\.random\b/, offence: 'Math.random: randomness is an argument' },
  {
    where: pure,
    code: /\bv[1467]\b[^}]*\}\s*from\s*['"]uuid['"]/,
    offence: 'a random uuid: ids are arguments',
  },
  { where: pure, code: /\bsetTimeout\b/, offence: 'setTimeout: deadlines are data' },
  { where: pure, code: /\bsetInterval\b/, offence: 'setInterval: deadlines are data' },
  { where: pure, code: /(?<![.\w])process\./, offence: 'process: the world is an argument' },
  { where: pure, code: /['"]node:/, offence: 'a node: import in pure code' },
  { where: test, code: /\.(only|skip|todo)\s*\(/, offence: 'a test that is left out' },
  { where: source, text: /\b(TO[D]O|FIX[M]E)\b/, offence: 'work left for later' },
  { where: source, code: /\bas\s+any\b/, offence: 'a cast that switches types off' },
  { where: source, text: /@ts-(ignore|nocheck)/, offence: 'a comment that switches types off' },
]

/** @param {string} text the same lines, with comments blanked */
const withoutComments = (text) =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/.*$/gm, '$1')

/**
 * @param {string} text
 * @param {number} index
 */
const lineAt = (text, index) => text.slice(0, index).split('\n').length

/**
 * @param {string} path
 * @param {string} text
 * @returns {string[]}
 */
const offencesIn = (path, text) => {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
  const code = withoutComments(text)
  return [
    ...(lines > LINES_LIMIT ? [`${path}: ${lines} lines, the limit is ${LINES_LIMIT}`] : []),
    ...(/^(#!.*\n)?\s*\/[/*]/.test(text) ? [] : [`${path}: does not open with a comment`]),
    ...forbidden
      .filter(({ where }) => where.test(path))
      .flatMap((rule) => {
        const found = rule.code?.exec(code) ?? rule.text?.exec(text)
        return found ? [`${path}:${lineAt(text, found.index)}: ${rule.offence}`] : []
      }),
  ]
}

/**
 * What breaks a habit among `paths` (from `root`), one line each. Having seen nothing is an offence.
 * @param {string} root
 * @param {readonly string[]} paths
 * @returns {string[]}
 */
export const tidy = (root, paths) => {
  const sources = paths.filter((path) => source.test(path))
  const packages = new Set(sources.map((path) => /^packages\/[^/]+\//.exec(path)?.[0] ?? ''))
  const untested = [...packages].filter((folder) => {
    const own = sources.filter((path) => path.startsWith(`${folder}src/`))
    return own.length > 1 && !sources.some((path) => path.startsWith(`${folder}test/`))
  })
  return [
    ...(sources.some((path) => path.startsWith('packages/')) ? [] : ['saw no source file']),
    ...(sources.some((path) => pure.test(path)) ? [] : ['saw no file that has to be pure']),
    ...paths
      .filter((path) => path.startsWith('packages/') && vagueName.test(path))
      .map((path) => `${path}: a name that does not say what is inside`),
    ...sources
      .filter(
        (path) =>
          /\.(test|spec)\./.test(path) && !/^packages\/[^/]+\/test\/.*\.test\.ts$/.test(path),
      )
      .map((path) => `${path}: a test where no test is run`),
    ...untested.map((folder) => `${folder.slice(0, -1)}: no test`),
    ...sources.flatMap((path) => offencesIn(path, readFileSync(join(root, path), 'utf8'))),
  ]
}
