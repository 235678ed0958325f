/**
 * Set-up: from a fresh clone to something that runs, and at once when nothing has changed.
 *
 * It runs before anything is installed, so it uses nothing but Node itself, needs no git, and asks
 * nothing of the machine but Node and npm. Two stamps under node_modules/ say what was last
 * installed and built: a hash of names and contents, never of times, so that a checkout that
 * brings old files back is seen.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const PNPM = 'pnpm@10.34.8'
const LEAST_MAJOR = 20
const LEAST_MINOR = 19

const root = fileURLToPath(new URL('../..', import.meta.url))
const stamps = join(root, 'node_modules', '.session-recovery')

/**
 * Ends set-up with a reason.
 * @param {string} reason
 * @returns {never}
 */
const fail = (reason) => {
  console.error(`set-up: ${reason}`)
  process.exit(1)
}

/**
 * Runs a program to its end; when it fails, shows what it said and ends set-up.
 * @param {string} label
 * @param {string} program
 * @param {string[]} args
 */
const run = (label, program, args) => {
  const startedAtMs = performance.now()
  console.log(`set-up: ${label} ...`)
  const done = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  })
  if (done.status !== 0) {
    console.error(`${done.stdout ?? ''}${done.stderr ?? ''}`.trimEnd())
    const how = done.error?.message ?? done.signal ?? `exit ${done.status}`
    fail(`${label} failed (${how}): ${program} ${args.join(' ')}`)
  }
  console.log(`set-up: ${label} took ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`)
}

/**
 * Does `work` unless it was last done, to its end, for the same `inputs` on the same `platform`.
 * @param {string} name
 * @param {readonly string[]} inputs paths from the root; what does not exist counts as absent
 * @param {string} platform what else the outcome depends on
 * @param {boolean} present whether the outcome still is there
 * @param {() => void} work
 */
const once = (name, inputs, platform, present, work) => {
  const hash = createHash('sha256').update(platform)
  for (const path of inputs.filter((input) => existsSync(join(root, input))).toSorted()) {
    const content = readFileSync(join(root, path))
    hash.update(`\0${path}\0${content.length}\0`).update(content)
  }
  const digest = hash.digest('hex')
  const stamp = join(stamps, name)
  if (present && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  // An interrupted run must not leave the stamp of an earlier one behind.
  rmSync(stamp, { force: true })
  work()
  mkdirSync(stamps, { recursive: true })
  writeFileSync(stamp, digest)
}

/** @param {string} folder */
const filesUnder = (folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))

/**
 * Removes what was built from sources that are gone: it would still load, and be published.
 * @param {string} folder
 */
const prune = (folder) => {
  if (!existsSync(join(root, folder, 'dist'))) return
  const emitted = /([.]d[.]ts|[.]js)([.]map)?$/
  for (const path of filesUnder(`${folder}/dist`).filter((built) => emitted.test(built))) {
    const source = path.replace('/dist/', '/src/').replace(emitted, '.ts')
    if (!existsSync(join(root, source))) rmSync(join(root, path))
  }
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < LEAST_MAJOR || (major === LEAST_MAJOR && minor < LEAST_MINOR))
  fail(`Node ${LEAST_MAJOR}.${LEAST_MINOR} or newer is needed; this is ${process.versions.node}`)

const packages = readdirSync(join(root, 'packages'))
  .map((name) => `packages/${name}`)
  .filter((folder) => existsSync(join(root, folder, 'package.json')))
const built = packages.filter((folder) => existsSync(join(root, folder, 'src')))
const manifests = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc'].concat(
  packages.map((folder) => `${folder}/package.json`),
)

once(
  'install',
  manifests,
  `${PNPM} ${process.platform} ${process.arch}`,
  built.every((folder) => existsSync(join(root, folder, 'node_modules'))),
  () => run('installing', 'npx', ['-y', PNPM, 'install', '--frozen-lockfile']),
)
once(
  'build',
  manifests.concat(
    ['tsconfig.base.json', 'tsconfig.json'],
    built.flatMap((folder) => [`${folder}/tsconfig.json`, ...filesUnder(`${folder}/src`)]),
  ),
  '',
  built.every((folder) => existsSync(join(root, folder, 'dist', 'index.js'))),
  () => {
    for (const folder of built) prune(folder)
    run('building', process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-b'])
  },
)
