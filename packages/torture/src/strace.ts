/**
 * Runs a program under `strace`, which sees each call it makes to the system, and can kill it at one or
 * have one fail. Only calls that concern given files count; with one thread for the disk their order is
 * the same in every run, near enough.
 */
import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'

// ------------------------------------------------------------------------------------------ model

/** What a run asked of the system below a directory. */
export interface Trace {
  /** How often each call was made. */
  readonly calls: ReadonlyMap<string, number>
  /** Every path that was named, from the directory on. */
  readonly paths: readonly string[]
}

/** One line of a trace. */
export interface TracedCall {
  readonly syscall: string
  readonly path: string
  readonly injected: boolean
  readonly creates: boolean
  /** How many bytes it was to write or read; 0 where it says nothing of that. */
  readonly bytes: number
}

export const straceHindrance = (): string | undefined => {
  const { error, status, stderr } = spawnSync('strace', ['-f', '-o', '/dev/null', 'true'], {
    encoding: 'utf8',
  })
  if (error !== undefined) return 'strace is not installed'
  return status === 0 ? undefined : `strace: ${stderr.trim()}`
}

// ------------------------------------------------------------------------------------ combinators

const always = ['strace', '-f', '-qq', '-y', '-s', '16']

/** Before a program: all that concerns files is written into `file`. */
export const tracing = (file: string): readonly string[] => [
  ...always,
  '--seccomp-bpf',
  '-e',
  'trace=%file,%desc',
  '-o',
  file,
]

// With the drafts of what had none when nothing happened; of a rename strace compares the first name alone.
const onlyAt = (directory: string, { paths }: Trace): readonly string[] =>
  [...new Set(paths.flatMap((path) => [path, `${path}.tmp`]))].flatMap((path) => [
    '-P',
    `${directory}${path}`,
  ])

/** Before a program: it is killed as it makes the call of that name for the `ordinal`-th time. */
export const killingAt = (
  syscall: string,
  ordinal: number,
  directory: string,
  trace: Trace,
): readonly string[] => [
  ...always,
  ...onlyAt(directory, trace),
  '-e',
  `trace=${syscall}`,
  '-e',
  `inject=${syscall}:signal=SIGKILL:when=${ordinal}`,
  '-o',
  '/dev/null',
]

// By these it can be told which file is written, and whether it is still the same.
const alwaysTraced = ['openat', 'pwrite64', 'fdatasync', 'rename']

/** Before a program: that call does nothing and fails with `errno`. What is written is traced into `file`. */
export const failingAt = (
  syscall: string,
  errno: string,
  ordinal: number,
  directory: string,
  trace: Trace,
  file: string,
): readonly string[] => [
  ...always,
  '--seccomp-bpf',
  ...onlyAt(directory, trace),
  '-e',
  `trace=${[...new Set([syscall, ...alwaysTraced])].join(',')}`,
  '-e',
  `inject=${syscall}:error=${errno}:when=${ordinal}`,
  '-o',
  file,
]

/** What is in a file that `tracing` wrote, as far as it is below `directory`. */
export const traceIn = async (file: string, directory: string): Promise<Trace> => {
  const calls = new Map<string, number>()
  const paths = new Set<string>()
  for (const { syscall, path } of await callsIn(file)) {
    if (path !== directory && !path.startsWith(`${directory}/`)) continue
    calls.set(syscall, (calls.get(syscall) ?? 0) + 1)
    paths.add(path.slice(directory.length))
  }
  return { calls, paths: [...paths] }
}

const line = /^\d+ +(?:([a-z0-9_]+)\(|<\.\.\. ([a-z0-9_]+) resumed>)(.*)$/
const sized = /, (\d+), \d+\) += /
const named = /[<"](\/[^>"]*)[>"]/g

/** Each call in a trace, with the last path it names. */
export const callsIn = async (file: string): Promise<readonly TracedCall[]> =>
  (await readFile(file, 'utf8')).split('\n').flatMap((text) => {
    const found = line.exec(text)
    // A call that was interrupted stands in two lines; the second only tells how it ended.
    if (found?.[1] === undefined) return []
    const said = found[3] ?? ''
    const path = [...said.matchAll(named)].at(-1)?.[1] ?? ''
    return [
      {
        syscall: found[1],
        path,
        injected: said.includes('(INJECTED)'),
        creates: said.includes('O_CREAT'),
        bytes: Number(sized.exec(said)?.[1] ?? 0),
      },
    ]
  })
