/**
 * Which process numbers can have been given since a process was started. Whoever is looked for among its
 * descendants need not be looked for among all there are: that took longer than starting a shell.
 *
 * Numbers are given in turn. While fewer processes and threads were started than half of the numbers there
 * are, those given since lie between the one and the last; else any may be.
 */
import { readFileSync } from 'node:fs'

/** What is known of the numbers when a process was started. */
export interface NumberMark {
  readonly pid: number
  /** How many processes and threads were started since the boot; absent where it is not shown. */
  readonly startedCount?: number
}

/** To be taken soon after the process was started: what is started before it is taken to be older. */
export const numberMark = (pid: number): NumberMark => {
  const startedCount = startedSinceBoot()
  return startedCount === undefined ? { pid } : { pid, startedCount }
}

/** How far the giving of numbers has come. */
export interface NumberState {
  readonly startedCount: number
  readonly last: number
  readonly limit: number
}

/** `undefined` where the kernel does not show it. */
export const numberState = (): NumberState | undefined => {
  const startedCount = startedSinceBoot()
  const last = numberIn('/proc/loadavg', /(\d+)\s*$/)
  const limit = numberIn('/proc/sys/kernel/pid_max', /^(\d+)/)
  return startedCount === undefined || last === undefined || limit === undefined
    ? undefined
    : { startedCount, last, limit }
}

// More are not started while the processes are listed, which takes less than some milliseconds.
const startedMeanwhile = 4_096

/**
 * Whether a number can have been given between `mark` and the end of a listing that was being made at
 * `now`; always where that is not known.
 */
export const givenSince = (
  { pid, startedCount }: NumberMark,
  now: NumberState | undefined,
): ((pid: number) => boolean) => {
  if (now === undefined || startedCount === undefined) return () => true
  const { limit } = now
  const last = (now.last + startedMeanwhile) % limit
  const started = now.startedCount - startedCount + startedMeanwhile
  return isGivenSince({ from: pid, last, started, limit })
}

/** The numbers from one to the last that was given, which may be lower: they begin anew at `limit`. */
export const isGivenSince = ({
  from,
  last,
  started,
  limit,
}: {
  readonly from: number
  readonly last: number
  readonly started: number
  readonly limit: number
}): ((pid: number) => boolean) => {
  if (started >= limit / 2) return () => true
  return last >= from ? (pid) => pid > from && pid <= last : (pid) => pid > from || pid <= last
}

const startedSinceBoot = (): number | undefined => numberIn('/proc/stat', /^processes (\d+)$/m)

const numberIn = (path: string, pattern: RegExp): number | undefined => {
  try {
    // In UTF-8, as Node reads such a text at once; as Latin-1 it takes three times as long.
    const digits = pattern.exec(readFileSync(path, 'utf8'))?.[1]
    return digits === undefined ? undefined : Number(digits)
  } catch {
    return undefined
  }
}
