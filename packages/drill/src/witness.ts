/**
 * Evidence of the drill's own, that owes nothing to the driver under drill: what the kernel shows of
 * processes, read afresh, and looking until something is so.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A process, not to be mixed up with a later one of the same number. */
export interface Witnessed {
  readonly pid: number
  readonly startTicks: number
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** The process with this number, if there is one that lives. */
export const witness = (pid: number | undefined): Witnessed | undefined => {
  const line = pid === undefined ? '' : read(`/proc/${pid}/stat`)
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const isThere = line !== '' && fields[0] !== 'Z' && fields[0] !== 'X'
  return isThere && pid !== undefined ? { pid, startTicks: Number(fields[19]) } : undefined
}

/** Whether it lives still. */
export const livesOn = (one: Witnessed): boolean => witness(one.pid)?.startTicks === one.startTicks

/** The directory of a process. */
export const directoryOf = (pid: number): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/** Every living process that was started with a variable of this name and value. */
export const processesWith = (name: string, value: string): readonly number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => pid !== process.pid)
    .filter((pid) => read(`/proc/${pid}/environ`).split('\0').includes(`${name}=${value}`))
    .filter((pid) => witness(pid) !== undefined)

/** Looks until `look` gives something; `undefined` after `withinMs`. */
export const until = async <A>(
  withinMs: number,
  look: () => A | undefined | Promise<A | undefined>,
): Promise<A | undefined> => {
  const endMs = performance.now() + withinMs
  for (;;) {
    const value = await look()
    if (value !== undefined || performance.now() > endMs) return value
    await new Promise((resolve) => setTimeout(resolve, 15))
  }
}
