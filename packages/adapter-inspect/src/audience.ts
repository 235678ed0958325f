/**
 * The viewers that are connected. Each is first shown what is there, one actor at a time and no faster
 * than it reads, and then everything as it happens; one that falls too far behind is dropped.
 */
import type { Logger } from '@session-recovery/core'
import { WebSocket } from 'ws'

// ------------------------------------------------------------------------------------------ model

export interface AudienceOptions {
  /** Bytes that may wait for one viewer before it is dropped. */
  readonly bufferLimitBytes: number
  readonly logger: Logger
  /** The actors a newcomer is to be shown, by key. */
  readonly present: () => readonly string[]
  /** What introduces an actor to a newcomer; nothing if it has gone. */
  readonly introduce: (key: string) => readonly string[]
}

export interface Audience {
  readonly join: (socket: WebSocket) => void
  /** Tells everybody; `messages` is called only when somebody listens. */
  readonly tell: (key: string, messages: () => readonly string[]) => void
  readonly size: () => number
  /** Viewers dropped so far because they did not keep up. */
  readonly dropped: () => number
  readonly leave: () => void
}

// ----------------------------------------------------------------------------------- constructors

/** "Going away", as RFC 6455 numbers it. */
const goingAway = 1_001

export const audience = (options: AudienceOptions): Audience => {
  /** Each viewer with the actors it has still to be shown. */
  const viewers = new Map<WebSocket, Set<string>>()
  let dropped = 0

  const send = (viewer: WebSocket, message: string, sent?: () => void): void => {
    if (viewer.readyState !== WebSocket.OPEN) return
    viewer.send(message, (error) => {
      if (error === undefined || error === null) sent?.()
    })
    if (viewer.bufferedAmount <= options.bufferLimitBytes) return
    dropped += 1
    viewers.delete(viewer)
    viewer.terminate()
    options.logger('warn', 'a viewer did not keep up and was dropped', { dropped })
  }

  const introduceNext = (viewer: WebSocket, waiting: Set<string>): void => {
    for (const key of waiting) {
      waiting.delete(key)
      const messages = options.introduce(key)
      const last = messages.length - 1
      // The next actor is shown when this one has been taken, so that no queue builds up.
      messages.forEach((message, i) => {
        send(viewer, message, i === last ? () => introduceNext(viewer, waiting) : undefined)
      })
      if (messages.length > 0) return
    }
  }

  return {
    join: (viewer) => {
      const waiting = new Set(options.present())
      viewers.set(viewer, waiting)
      viewer.on('close', () => viewers.delete(viewer))
      viewer.on('error', (error) => options.logger('debug', 'a viewer failed', error))
      introduceNext(viewer, waiting)
    },
    tell: (key, messages) => {
      if (viewers.size === 0) return
      const told = messages()
      for (const [viewer, waiting] of viewers) {
        // Who has not seen the actor yet will be shown it as it then is.
        if (!waiting.has(key)) for (const message of told) send(viewer, message)
      }
    },
    size: () => viewers.size,
    dropped: () => dropped,
    leave: () => {
      for (const viewer of viewers.keys()) {
        viewer.close(goingAway)
        viewer.terminate()
      }
      viewers.clear()
    },
  }
}
