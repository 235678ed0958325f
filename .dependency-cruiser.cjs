/**
 * Who may import whom: `core` <- `engine` <- adapters <- `cli`, without cycles.
 * A package may import its own files, what its row names, and Node's modules unless it is pure.
 */

/** @type {Record<string, { pure?: true, packages: string[], libraries: string[] }>} */
const table = {
  core: { pure: true, packages: [], libraries: ['@noble/hashes', 'fp-ts', 'io-ts', 'uuid'] },
  engine: { packages: ['core'], libraries: ['fp-ts', 'io-ts', 'tinyqueue', 'xstate'] },
  'adapter-fs': { packages: ['core'], libraries: ['fp-ts', 'io-ts'] },
  'adapter-events': { packages: ['core', 'engine', 'adapter-fs'], libraries: ['fp-ts'] },
  shell: {
    packages: ['core'],
    libraries: ['fp-ts', '@xterm/headless', '@xterm/addon-serialize'],
  },
  'adapter-pty': { packages: ['core', 'shell'], libraries: ['fp-ts', '@lydell/node-pty'] },
  'adapter-ssh': {
    packages: ['core', 'shell'],
    libraries: ['fp-ts', 'io-ts', 'ssh2', '@types/ssh2'],
  },
  'adapter-inspect': { packages: ['core', 'engine'], libraries: ['fp-ts', 'ws', '@types/ws'] },
  bench: {
    packages: ['core', 'engine', 'adapter-fs', 'adapter-pty', 'adapter-ssh', 'testkit'],
    libraries: [
      'fp-ts',
      'commander',
      'cli-table3',
      'log-update',
      '@lydell/node-pty',
      'ssh2',
      '@types/ssh2',
      'xstate',
    ],
  },
  drill: {
    packages: ['core', 'engine', 'shell', 'adapter-fs', 'adapter-pty', 'adapter-ssh', 'testkit'],
    libraries: ['fp-ts', 'commander', 'cli-table3', 'log-update'],
  },
  torture: {
    packages: ['core', 'engine', 'adapter-fs', 'adapter-events', 'adapter-inspect', 'testkit'],
    libraries: ['fp-ts', 'fast-check', 'commander', 'cli-table3', 'log-update', 'ws', '@types/ws'],
  },
  testkit: {
    packages: ['core', 'engine', 'adapter-fs'],
    libraries: ['fp-ts', 'io-ts', 'fast-check', 'pure-rand', 'tinyqueue'],
  },
  cli: {
    packages: ['core', 'engine', 'adapter-fs', 'adapter-pty', 'adapter-inspect'],
    libraries: ['fp-ts', 'io-ts', 'commander', 'cli-table3', 'log-update'],
  },
}

const rows = Object.entries(table).map(([name, { pure, packages, libraries }]) => ({
  name: `${name}-imports-only-its-row`,
  severity: 'error',
  from: { path: `^packages/${name}/src/` },
  to: {
    pathNot: [
      `^packages/${name}/src/`,
      ...packages.map((other) => `^packages/${other}/src/index[.]ts$`),
      ...libraries.map((library) => `(^|/)node_modules/${library}/`),
    ],
    ...(pure ? {} : { dependencyTypesNot: ['core'] }),
  },
}))

module.exports = {
  forbidden: [
    ...rows,
    {
      name: 'every-package-has-a-row',
      severity: 'error',
      from: {
        path: '^packages/[^/]+/src/',
        pathNot: `^packages/(${Object.keys(table).join('|')})/`,
      },
      to: {},
    },
    {
      name: 'no-cycle',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'other-packages-by-name-only',
      comment: 'A relative path into another package passes by what that package exports.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
    },
    {
      name: 'gate-uses-node-alone',
      comment: 'Set-up runs before anything is installed.',
      severity: 'error',
      from: { path: '^packages/gate/[^/]+[.]mjs$' },
      to: { pathNot: '^packages/gate/', dependencyTypesNot: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Our own builds only: an unanchored `dist` would hide most libraries from the rules.
    exclude: { path: '^packages/[^/]+/dist/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'types', 'default'],
      extensions: ['.ts', '.mjs', '.cjs', '.js', '.json'],
    },
  },
}
