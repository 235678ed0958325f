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

// `sshd`, and since 9.8 `sshd-session` and `sshd-auth`.
const isSshd = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('sshd')
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
