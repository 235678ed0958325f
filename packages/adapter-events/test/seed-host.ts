/**
 * A host as the seed's were written: it keeps sessions, listens to every request, does what is asked, and
 * answers `snapshot-request` by its callback. It imports one name; nothing else in it knows of this project.
 */
import type { SessionRecovery } from '../src/index.js'

interface SessionOptions {
  readonly command: string
  readonly cwd?: string
  readonly env?: Record<string, string>
  readonly sshOptions?: { readonly host: string; readonly password: string }
}

interface Session {
  alive: boolean
  options: SessionOptions
  cwd: string
  restarts: number
  startedAt: Date
}

export class SeedHost {
  readonly sessions = new Map<string, Session>()
  readonly did: string[] = []
  readonly recovered: string[] = []
  readonly lost: string[] = []
  readonly #recovery: SessionRecovery

  constructor(recovery: SessionRecovery) {
    this.#recovery = recovery
    recovery.on('session-restart-request', ({ sessionId, sessionOptions, restoreState }) => {
      this.did.push(`restart ${sessionId}`)
      this.#open(sessionId, sessionOptions, restoreState.workingDirectory)
    })
    recovery.on('ssh-reconnect-request', async ({ sessionId, sshOptions }) => {
      await Promise.resolve()
      this.did.push(`reconnect ${sessionId} to ${sshOptions.host} with ${sshOptions.password}`)
      this.#revive(sessionId)
    })
    recovery.on('session-restore-request', ({ sessionId, snapshot }) => {
      this.did.push(`restore ${sessionId} in ${snapshot.workingDirectory}`)
      this.#revive(sessionId)
    })
    recovery.on('session-replicate-request', ({ originalSessionId, newSessionId }) => {
      this.did.push(`replicate ${originalSessionId} as ${newSessionId}`)
      this.#revive(originalSessionId)
    })
    recovery.on('session-migrate-request', ({ sessionId }) => {
      this.did.push(`migrate ${sessionId}`)
      this.#revive(sessionId)
    })
    recovery.on('session-interrupt-request', ({ sessionId, signals }) => {
      this.did.push(`interrupt ${sessionId} by ${signals.join(' ')}`)
      this.#revive(sessionId)
    })
    recovery.on('session-prompt-reset-request', ({ sessionId }) => {
      this.did.push(`reset the prompt of ${sessionId}`)
    })
    recovery.on('session-refresh-request', ({ sessionId }) => {
      this.did.push(`refresh ${sessionId}`)
    })
    recovery.on('session-command-retry-request', ({ sessionId, commands }) => {
      this.did.push(`retry ${commands.join(', ')} in ${sessionId}`)
    })
    recovery.on('snapshot-request', ({ sessionId, callback }) => {
      const session = this.sessions.get(sessionId)
      if (session === undefined) return callback()
      callback({ workingDirectory: session.cwd, sessionState: { startedAt: session.startedAt } })
    })
    recovery.on('recovery-success', ({ sessionId }) => this.recovered.push(sessionId))
    recovery.on('recovery-fallback', ({ sessionId }) => this.lost.push(sessionId))
  }

  async open(sessionId: string, options: SessionOptions): Promise<void> {
    const session = this.#open(sessionId, options, options.cwd ?? '/')
    await this.#recovery.registerSession(sessionId, { startedAt: session.startedAt }, options)
  }

  kill(sessionId: string): void {
    const session = this.sessions.get(sessionId)
    if (session !== undefined) session.alive = false
  }

  #open(sessionId: string, options: SessionOptions, cwd: string): Session {
    const restarts = (this.sessions.get(sessionId)?.restarts ?? -1) + 1
    const startedAt = new Date('2027-01-15T08:00:00Z')
    const session = { alive: true, options, cwd, restarts, startedAt }
    this.sessions.set(sessionId, session)
    return session
  }

  #revive(sessionId: string): void {
    const session = this.sessions.get(sessionId)
    if (session !== undefined) session.alive = true
  }
}
