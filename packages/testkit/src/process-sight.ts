/**
 * Processes of this machine, seen through the kernel by who does not ask the driver. A test of remote
 * shells sees them, too: their host is this machine.
 */
import { readdirSync, readFileSync } from 'node:fs'
import type { Life } from './conformance/rig.js'

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Whether a process runs, and what tells it from every other. */
export const lifeOf = (pid: number | undefined): Life => {
  if (pid === undefined) return { alive: false, detail: 'no process' }
  const stat = read(`/proc/${pid}/stat`)
  if (stat === undefined) return { alive: false, detail: `process ${pid} is gone` }
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    alive: !'TtZX'.includes(state),
    identity: `${pid} since ${fields[18]}`,
    detail: `process ${pid} is in state ${state}`,
  }
}

/** The programs that a process started and that run now, by name. */
export const childrenOf = (pid: number): readonly string[] =>
  (read(`/proc/${pid}/task/${pid}/children`) ?? '')
    .split(' ')
    .filter((child) => child !== '')
    .map((child) => (read(`/proc/${child}/comm`) ?? '').trim())

/** The processes whose environment, as they were started with it, names `text`. */
export const processesNaming = (text: string): readonly string[] =>
  readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && (read(`/proc/${name}/environ`) ?? '').includes(text),
  )
