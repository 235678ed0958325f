/**
 * The flags of a terminal that say how input is read: line by line or not, shown or not, and whether ^C
 * makes a signal. Node has no tcgetattr, so `stty` is asked: one fork, made only when somebody looks.
 */
import { execFile } from 'node:child_process'
import type { TerminalFlags } from '@session-recovery/shell'

const lookTimeoutMs = 2_000

/** The flags of the terminal at `path`; `undefined` where `stty` is missing or cannot tell. */
export const terminalFlags = (path: string): Promise<TerminalFlags | undefined> =>
  new Promise((resolve) => {
    const option = process.platform === 'linux' ? '-F' : '-f'
    const options = { timeout: lookTimeoutMs, env: { ...process.env, LC_ALL: 'C' } }
    execFile('stty', [option, path, '-a'], options, (error, stdout) => {
      const words = new Set(stdout.split(/[\s;]+/))
      const known = error === null && (words.has('icanon') || words.has('-icanon'))
      resolve(
        known
          ? {
              lineMode: words.has('icanon'),
              echo: words.has('echo'),
              signals: words.has('isig'),
            }
          : undefined,
      )
    })
  })
