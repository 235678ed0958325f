/**
 * Set-up: from a fresh clone to something that runs, and at once when nothing has changed.
 *
 * It runs before anything is installed, so it uses nothing but Node itself, needs no git, and asks
 * nothing of the machine but Node and npm. Two stamps under node_modules/ say what was last
 * installed and built: a hash of names and contents, never of times, so that a checkout that
 * restores old files is seen.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const PNPM = 'pnpm@10.34.8'
const NODE_LEAST = [20, 19]

const root = fileURLToPath(new URL('../..', import.meta.url))
const stampOf = (/** @type {string} */ name) =>
  join(root, 'node_modules', '.session-recovery', `${name}.stamp`)

/** The files under `folder` that `wanted` names, sorted, as paths from the root. */
const filesUnder = (/** @type {string} */ folder, /** @type {RegExp} */ wanted) =>
  existsSync(join(root, folder))
    ? readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(root, join(entry.parentPath, entry.name)))
        .filter((path) => wanted.test(path))
        .sort()
    : []

/** One hash of the names and contents of `paths`, and of what else the outcome depends on. */
const hashOf = (/** @type {readonly string[]} */ paths, /** @type {string} */ platform) => {
  const hash = createHash('sha256').update(platform)
  for (const path of paths) {
    const content = readFileSync(join(root, path))
    hash.update(`\0${path}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex')
}

const stampSays = (/** @type {string} */ name, /** @type {string} */ hash) =>
  existsSync(stampOf(name)) && readFileSync(stampOf(name), 'utf8') === hash

const writeStamp = (/** @type {string} */ name, /** @type {string} */ hash) => {
  mkdirSync(dirname(stampOf(name)), { recursive: true })
  writeFileSync(stampOf(name), hash)
}

/** Runs a program to its end; when it fails, shows what it said and ends this process. */
const run = (
  /** @type {string} */ label,
  /** @type {string} */ program,
  /** @type {string[]} */ args,
) => {
  const startedAtMs = performance.now()
  console.log(`set-up: ${label} ...`)
  const done = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (done.status !== 0) {
    console.error(`${done.stdout ?? ''}${done.stderr ?? ''}`.trimEnd())
    const how =
      done.error?.message ?? (done.signal ? `signal ${done.signal}` : `exit ${done.status}`)
    console.error(`set-up: ${label} failed (${how}): ${program} ${args.join(' ')}`)
    process.exit(1)
  }
  console.log(`set-up: ${label} took ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s`)
}

const checkNode = () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [leastMajor = 0, leastMinor = 0] = NODE_LEAST
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return
  console.error(
    `set-up: Node ${NODE_LEAST.join('.')} or newer is needed, this is ${process.versions.node}`,
  )
  process.exit(1)
}

const packageFolders = () =>
  readdirSync(join(root, 'packages'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `packages/${entry.name}`)
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .sort()

const install = (/** @type {readonly string[]} */ folders) => {
  const paths = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc']
    .concat(folders.map((folder) => `${folder}/package.json`))
    .filter((path) => existsSync(join(root, path)))
  const platform = `${PNPM} ${process.platform} ${process.arch}`
  const hash = hashOf(paths, platform)
  if (stampSays('install', hash)) return
  run('installing', 'npx', ['-y', PNPM, 'install', '--frozen-lockfile'])
  writeStamp('install', hash)
}

const build = (/** @type {readonly string[]} */ folders) => {
  const built = folders.filter((folder) => existsSync(join(root, folder, 'src')))
  const paths = ['package.json', 'pnpm-lock.yaml', 'tsconfig.base.json', 'tsconfig.json'].concat(
    folders.flatMap((folder) => filesUnder(`${folder}/src`, /\.[cm]?tsx?$/)),
    built.flatMap((folder) => [`${folder}/package.json`, `${folder}/tsconfig.json`]),
  )
  const hash = hashOf(paths, '')
  const whole = built.every((folder) => existsSync(join(root, folder, 'dist', 'index.js')))
  if (whole && stampSays('build', hash)) return
  run('building', process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-b'])
  writeStamp('build', hash)
}

checkNode()
const folders = packageFolders()
install(folders)
build(folders)
