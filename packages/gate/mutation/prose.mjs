/**
 * What is not mutated, and why: text that only people read. A message may say the same in other words, so a
 * test that pins each of them would forbid nothing but better English. What a program decides on is
 * mutated, whatever it looks like: words a list is split from, keys, tags.
 */
import { PluginKind } from '@stryker-mutator/api/plugin'

/** Two words and what separates them in a sentence. */
const sentence = /[\p{L}\p{N}][,:;]? \p{L}/u
/** What names a codec: the name is shown where a value is refused. */
const naming = new Set(['struct', 'tagged', 'oneOf', 'refined', 'list', 'partial', 'recursion'])
const plain = new Set(['Identifier', 'MemberExpression', 'CallExpression'])

/** @typedef {import('@stryker-mutator/api/ignore').NodePath} NodePath */

/** @param {NodePath} path */
const isSaid = ({ node }) => {
  if (node.type === 'StringLiteral') return sentence.test(node.value)
  return (
    node.type === 'TemplateLiteral' &&
    node.quasis.some(({ value }) => sentence.test(value.raw)) &&
    // A decision inside a message is one still.
    node.expressions.every(({ type }) => plain.has(type))
  )
}

/** @param {NodePath} path */
const namesCodec = ({ node, parent }) =>
  node.type === 'StringLiteral' &&
  parent?.type === 'CallExpression' &&
  parent.callee.type === 'Identifier' &&
  naming.has(parent.callee.name) &&
  parent.arguments[0] === node

/** @param {NodePath} path whether a program takes the text apart */
const isTakenApart = ({ node, parent }) =>
  parent?.type === 'MemberExpression' && parent.object === node

export const strykerPlugins = [
  {
    kind: PluginKind.Ignore,
    name: 'prose',
    value: {
      /** @param {NodePath} path */
      shouldIgnore: (path) => {
        if (namesCodec(path)) return 'the name of a codec, which messages show'
        if (isSaid(path) && !isTakenApart(path)) return 'text that people read'
        return undefined
      },
    },
  },
]
