/**
 * The host that some sessions of a simulation share: while it is dead nothing on it can be reached, and
 * what was there is lost. Of three sessions one is by itself.
 */
import type { ProbeVerdict } from '@session-recovery/core'
import type { Registration } from '@session-recovery/engine'
import type { FaultBook } from './fault.js'

export class SharedHost {
  readonly #faults: FaultBook
  readonly #nowMs: () => number
  #deadUntilMs = 0

  constructor(faults: FaultBook, nowMs: () => number) {
    this.#faults = faults
    this.#nowMs = nowMs
  }

  /** What a session is declared to share. */
  domainsOf(session: number): readonly string[] {
    if (session % 3 === 0) return []
    return session % 6 === 5 ? ['host:h'] : ['host:h', 'credential:me@h']
  }

  /** What is declared of a session when it is registered. */
  registrationOf(session: number): Registration {
    const ssh = session % 3 === 1 ? { sshOptions: { host: 'h' } } : {}
    const env = { DB_PASSWORD: 'hunter2hunter2' }
    const sessionOptions = { command: 'bash', cwd: '/', env, ...ssh }
    return { sessionOptions, attended: session % 3 === 2, domains: this.domainsOf(session) }
  }

  /** Those of `sessions` sessions that are on it. */
  sessionsOf(sessions: number): readonly string[] {
    const all = Array.from({ length: sessions }, (_, i) => i)
    return all.filter((i) => this.domainsOf(i).length > 0).map((i) => `s${i}`)
  }

  die(forMs: number): void {
    this.#deadUntilMs = this.#nowMs() + forMs
  }

  isDeadTo(sessionId: string): boolean {
    const isOn = this.domainsOf(Number(sessionId.slice(1))).length > 0
    return isOn && !this.#faults.isCalm && this.#nowMs() < this.#deadUntilMs
  }

  verdictOf(sessionId: string): ProbeVerdict {
    if (this.isDeadTo(sessionId)) return 'unreachable'
    return this.#faults.strikes('refused credential', 15) ? 'refused' : 'reachable'
  }
}
