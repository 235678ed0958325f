/**
 * Real filesystems in files, mounted over loop devices, that can be shut down as by a power cut: what was
 * not flushed by then never reaches the file.
 *
 * Whoever uses this has a mount namespace of its own, as the rows of root's have: with its last process
 * the mounts are gone and the loop devices free, however it ends.
 */
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

// ------------------------------------------------------------------------------------------ model

export const filesystems = ['ext4', 'ext4-writeback', 'xfs'] as const
export type Filesystem = (typeof filesystems)[number]

interface Kind {
  readonly make: readonly [string, ...(readonly string[])]
  /** One of them each time it is made. */
  readonly mountOptions: readonly [string, ...(readonly string[])]
  readonly imageBytes: number
}

const mebibyte = 1 << 20
const ext4 = ['mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=0'] as const

// Without delayed allocation a file's size reaches the journal before its content reaches the medium.
const kinds: Readonly<Record<Filesystem, Kind>> = {
  ext4: {
    make: ext4,
    mountOptions: ['data=ordered', 'data=ordered,nodelalloc'],
    imageBytes: 64 * mebibyte,
  },
  'ext4-writeback': {
    make: ext4,
    mountOptions: ['data=writeback', 'data=writeback,nodelalloc'],
    imageBytes: 64 * mebibyte,
  },
  // Smaller ones mkfs.xfs does not make.
  xfs: { make: ['mkfs.xfs', '-q', '-f'], mountOptions: ['rw'], imageBytes: 320 * mebibyte },
}

/** What cuts the power; it takes no longer than the cut itself, as its process runs already. */
export interface Cutter {
  /** Between these two moments on the machine's steady clock the power went. */
  readonly cut: () => Promise<{ readonly fromMs: number; readonly untilMs: number }>
}

/** A filesystem that is mounted. */
export interface LoopMount {
  /** The directory in which it stands. */
  readonly at: string
  /**
   * Gets ready to cut its power. `flushesLog`: what its journal holds reaches the medium then, what its
   * files hold does not.
   */
  readonly cutter: (how: { readonly flushesLog: boolean }) => Cutter
  /** Mounts it again, and so replays its journal. Nobody may have a file of it open. */
  readonly again: () => Promise<void>
  readonly unmount: () => Promise<void>
}

// ------------------------------------------------------------------------------------ combinators

// Where only root's PATH looks.
const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`
const env = { ...process.env, PATH: path }
const execute = promisify(execFile)
const run = async (program: string, ...args: readonly string[]): Promise<void> => {
  await execute(program, args, { env })
}

/** Makes a filesystem below `directory`, which must be empty, and mounts it. */
export const loopMount = async (
  filesystem: Filesystem,
  directory: string,
  pick: <A>(choices: readonly [A, ...A[]]) => A,
  imageBytes = kinds[filesystem].imageBytes,
): Promise<LoopMount> => {
  const { make, mountOptions } = kinds[filesystem]
  const [first, ...others] = mountOptions
  const options = `loop,${pick([first, ...others])}`
  const image = join(directory, 'image')
  const at = join(directory, 'mount')
  await writeFile(image, '')
  await truncate(image, imageBytes)
  const [program, ...args] = make
  await run(program, ...args, image)
  await mkdir(at)
  const mount = () => run('mount', '-o', options, image, at)
  const unmount = () => run('umount', at)
  await mount()
  return {
    at,
    cutter: ({ flushesLog }) => cutterOf(at, flushesLog ? 'shutdown -f' : 'shutdown'),
    again: async () => {
      await unmount()
      await mount()
    },
    unmount,
  }
}

const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6

const cutterOf = (at: string, command: string): Cutter => {
  const child = spawn('xfs_io', ['-x', at], { env, stdio: ['pipe', 'ignore', 'pipe'] })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    complaint += piece
  })
  const gone = once(child, 'close')
  return {
    cut: async () => {
      const fromMs = nowMs()
      child.stdin.end(`${command}\nquit\n`)
      await gone
      if (complaint !== '') throw new Error(`xfs_io: ${complaint}`)
      return { fromMs, untilMs: nowMs() }
    },
  }
}

/** Mounts one in a new folder of `directory` for as long as `work` takes. */
export const withLoopMount = async (
  filesystem: Filesystem,
  directory: string,
  pick: <A>(choices: readonly [A, ...A[]]) => A,
  work: (mounted: LoopMount) => Promise<void>,
  imageBytes?: number,
): Promise<void> => {
  const folder = await mkdtemp(join(directory, 'loop-'))
  const mounted = await loopMount(filesystem, folder, pick, imageBytes)
  try {
    await work(mounted)
  } finally {
    await mounted.unmount()
    await rm(folder, { recursive: true })
  }
}

/** Why `filesystem` cannot be mounted here, if it cannot: it is tried. */
export const mountHindrance = (filesystem: Filesystem): string | undefined => {
  const { make, imageBytes } = kinds[filesystem]
  const directory = mkdtempSync(join(tmpdir(), 'torture-mount-'))
  const image = join(directory, 'image')
  const steps = [
    'command -v xfs_io > /dev/null || { echo xfs_io is not installed; exit 1; }',
    `truncate -s ${imageBytes} '${image}'`,
    `${make.join(' ')} '${image}'`,
    `mkdir '${directory}/mount'`,
    `mount -o loop '${image}' '${directory}/mount'`,
  ]
  const tried = spawnSync('unshare', [...ownMounts, 'sh', '-c', `( ${steps.join(' && ')} ) 2>&1`], {
    env,
    encoding: 'utf8',
  })
  rmSync(directory, { recursive: true, force: true })
  if (tried.status === 0) return undefined
  return `${filesystem}: ${(tried.error?.message ?? `${tried.stdout}${tried.stderr}`).trim()}`
}

/** To `unshare`, before the program that is to have its mounts to itself. */
export const ownMounts = ['--mount', '--propagation', 'private']
