/** What is mutated, and which package's tests must notice. */

/**
 * @typedef {object} Target
 * @property {string} owner the package that what is mutated belongs to, for which a score is told
 * @property {string} tests the package whose tests are run
 * @property {readonly string[]} files patterns, from the root
 * @property {readonly string[]} [always] tests that are about all of them, whatever their names
 */

/** What decides in `core` is driven by the engine, through its machine: its tests are the engine's. */
const decisions = [
  'attempt',
  'attempt-reaction',
  'end-reaction',
  'guard',
  'reacting',
  'reaction',
].map((file) => `packages/core/src/${file}.ts`)

/** @type {Readonly<Record<string, Target>>} */
export const targets = {
  core: {
    owner: 'core',
    tests: 'core',
    files: ['packages/core/src/*.ts', ...decisions.map((file) => `!${file}`)],
  },
  'core-decision': {
    owner: 'core',
    tests: 'engine',
    files: decisions,
    always: ['decision', 'reaction', 'incident', 'step'],
  },
  engine: { owner: 'engine', tests: 'engine', files: ['packages/engine/src/*.ts'] },
  'adapter-fs': {
    owner: 'adapter-fs',
    tests: 'adapter-fs',
    files: ['packages/adapter-fs/src/*.ts'],
  },
}
