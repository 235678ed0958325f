/**
 * A shell that is no process: it gives the marks of one, on virtual time, and does with each line what a
 * test wrote down. For what depends on time and on policy alone.
 */
import type { RunRequest } from '@session-recovery/core'
import { classify, defaultPolicy } from '@session-recovery/core'
import { VirtualClock } from '@session-recovery/testkit'
import * as E from 'fp-ts/lib/Either.js'
import type { Host, Process, ProcessListener, ProcessStart } from '../src/host.js'
import { everythingShown, shellDriver } from '../src/index.js'
import { asideKey, boundKey, markEnd, markStart } from '../src/mark.js'

/** How a line ends. */
export interface Ending {
  readonly code: number
  readonly takesMs: number
}

export interface Entered {
  readonly line: string
  readonly beganMs: number
  endedMs?: number
}

const terminal = '/dev/pts/0'

/** A driver over one such shell. @param others the other hosts it may go to, given what starts one. */
export const scriptedShell = (others: (start: Host['start']) => readonly Host[] = () => []) => {
  const time = new VirtualClock()
  const { clock } = time.fork()
  const entered: Entered[] = []
  const script = {
    endings: [] as Ending[],
    answers: true,
    /** It takes what is entered. */
    hears: true,
    /** What its editor makes of a line. */
    makes: (line: string): string => line,
    /** Its host can look at it. */
    looks: true,
    /** What runs is a builtin of the shell that reads a key, and looks like its prompt. */
    readsKey: false,
    pressed: 0,
    /** What a start waits for. */
    held: Promise.resolve(),
    resized: [] as unknown[],
  }
  let starts = 0
  let endedCount = 0
  let die = (): void => {}
  let cut = (): void => {}
  let living: { readonly process: Process; readonly hear: (to: ProcessListener) => void }

  const start = async (
    { integration, cwd }: ProcessStart,
    first: ProcessListener,
  ): ReturnType<Host['start']> => {
    await script.held
    let listener = first
    const nonce = integration?.nonce ?? ''
    const pid = 100 + 10 * ++starts
    let history = 1
    let running: Entered | undefined
    let alive = true
    let answers = 0
    const say = (kind: string, payload: string): void => {
      const text = `${markStart(nonce)}${kind};${payload.length};${payload}${markEnd(nonce)}`
      if (alive) listener.output(text)
    }
    const prompt = (code: number): void => {
      say('D', `${code} ${history} '${cwd}'`)
      say('A', '')
    }
    const ends = (code: number): void => {
      if (running === undefined) return
      running.endedMs = time.nowMs
      running = undefined
      prompt(code)
    }
    const enter = (line: string): void => {
      const own: Entered = { line, beganMs: time.nowMs }
      running = own
      entered.push(own)
      say('C', `'  ${history++}  ${line}'`)
      const { code, takesMs } = script.endings.shift() ?? { code: 0, takesMs: 0 }
      clock.schedule(takesMs, () => {
        if (running === own) ends(code)
      })
    }
    const gone = (): void => {
      if (alive) endedCount += 1
      if (alive) listener.gone({ _tag: 'exited', exit: { signal: 'SIGKILL' } })
      alive = false
    }
    die = gone
    cut = () => listener.gone({ _tag: 'lost', detail: 'cut' })
    const process: Process = {
      identity: { pid },
      shows: everythingShown,
      startedIn: cwd,
      write: (text) => {
        const isAside = text.startsWith(asideKey)
        const rest = isAside ? text.slice(asideKey.length) : text
        if (isAside && running === undefined) say('L', "''")
        if (rest === boundKey) {
          script.pressed += 1
          if (script.answers) say('K', String(++answers))
        } else if (rest.endsWith('\r') && script.hears) enter(script.makes(rest.slice(0, -1)))
        return alive
      },
      resize: (size) => void script.resized.push(size),
      look: async () => {
        if (!script.looks) return { alive: undefined, foreground: [] }
        const waiting = { _tag: 'reading', files: [terminal], bounded: false } as const
        const leader = { pid, group: pid, name: 'bash', state: 'S', waiting } as const
        const foremost =
          running === undefined || script.readsKey
            ? leader
            : { pid: pid + 1, group: pid + 1, name: 'make', state: 'R' }
        const atPrompt = foremost === leader
        return {
          alive,
          leader,
          terminal,
          foregroundGroup: foremost.group,
          foreground: [foremost],
          flags: { lineMode: !atPrompt, echo: !atPrompt, signals: true },
        }
      },
      signal: async () => {
        const own = running
        clock.schedule(1, () => {
          if (running === own) ends(130)
        })
        return true
      },
      surroundings: async () => ({}),
      settled: () => {},
      end: async () => {
        gone()
        return { ended: [], letBe: [] }
      },
      keeping: { kept: { name: 'kept', identity: { pid } }, letGo: () => {} },
    }
    living = {
      process,
      hear: (to) => {
        listener = to
      },
    }
    clock.schedule(1, () => prompt(0))
    return { _tag: 'started', process }
  }
  const attach: Host['attach'] = async (_kept, _size, listener) => {
    living.hear(listener)
    return { _tag: 'started', process: living.process }
  }
  const host: Host = { name: 'nowhere', start, attach }
  const driver = shellDriver(
    {
      name: 'scripted',
      shows: everythingShown,
      pool: { hostOf: () => E.right(host), others: () => others(start) },
      strategies: new Set([
        'restart',
        'restore',
        'session-refresh',
        'command-retry',
        'reconnect',
        'migrate',
        'replicate',
      ]),
      defaultCommand: () => 'bash',
      adoptedEnvironment: (known) => known,
      close: async () => {},
    },
    { clock },
  )
  return {
    time,
    driver,
    entered,
    script,
    starts: () => starts,
    living: () => starts - endedCount,
    die: () => die(),
    /** The connection is lost; the shell goes on. */
    cut: () => cut(),
    /** Lets time pass until `work` is done. */
    passing: async <A>(work: Promise<A>): Promise<A> => {
      let isDone = false
      const settled = work.finally(() => {
        isDone = true
      })
      for (let n = 0; n < 20_000 && !isDone; n++) await time.advance(10)
      return settled
    },
  }
}

/** A request for a session that nobody sits at. */
export const requestFor = (more: Partial<RunRequest>): RunRequest => ({
  sessionId: 'a',
  incarnation: 1,
  traits: {
    kind: 'local',
    attended: false,
    shell: true,
    rerunnable: false,
    failureExitCodes: [],
    idempotentCommands: [],
  },
  token: 'token',
  signal: new AbortController().signal,
  strategy: 'command-retry',
  attempt: 1,
  failure: classify('lost', []),
  plan: {
    sessionId: 'a',
    strategies: ['command-retry'],
    priority: 'medium',
    estimatedTime: 0,
    requiredResources: [],
    fallbackOptions: [],
  },
  repeated: false,
  lostSecrets: [],
  policy: defaultPolicy,
  ...more,
})
