/** The processes of an sshd, read from the kernel: which serve a connection, and which run on it. */
import { readFileSync } from 'node:fs'

const childrenOf = (pid: number): readonly number[] => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter((child) => child !== '')
      .map(Number)
  } catch {
    return []
  }
}

/** Whether a process is one of an sshd (since 9.8 also `sshd-session` and `sshd-auth`) and runs. */
export const isSshd = (pid: number): boolean => {
  try {
    return /^\d+ \(sshd[^)]*\) [^ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** What a listener has forked, one process for each connection, the oldest first. */
export const sshdChildren = (listener: number | undefined): readonly number[] =>
  listener === undefined ? [] : childrenOf(listener).filter(isSshd)

/** What serves one connection: the process itself and those it shares the work with. */
export const descendantsOf = (child: number): readonly number[] => [
  child,
  ...childrenOf(child).filter(isSshd).flatMap(descendantsOf),
]
