/** A viewer as a test needs it: it connects, keeps what it is sent, and waits for what is to come. */
import type { StatelyInspectionEvent } from '@statelyai/inspect'
import { WebSocket } from 'ws'

export interface Viewer {
  readonly socket: WebSocket
  readonly seen: readonly StatelyInspectionEvent[]
  /** Everything that was sent, as it came. */
  readonly text: () => string
  /** Resolves as soon as `holds` does; rejects when the connection ends before. */
  readonly until: (
    holds: (seen: readonly StatelyInspectionEvent[]) => boolean,
  ) => Promise<readonly StatelyInspectionEvent[]>
  readonly closed: Promise<number>
}

/** What `ws` connects with. */
export type Dial = NonNullable<ConstructorParameters<typeof WebSocket>[2]>

/** Connects; rejects with the status it was answered where that is no upgrade. */
export const viewerOf = async (url: string, dial: Dial = {}): Promise<Viewer> => {
  const socket = new WebSocket(url, dial)
  const seen: StatelyInspectionEvent[] = []
  const texts: string[] = []
  const checks = new Set<() => void>()
  socket.on('message', (data) => {
    texts.push(String(data))
    seen.push(JSON.parse(String(data)))
    for (const check of checks) check()
  })
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  await new Promise<void>((resolve, reject) => {
    socket.on('open', resolve)
    socket.on('unexpected-response', (request, response) => {
      reject(new Error(`answered ${response.statusCode}`))
      request.destroy()
    })
    socket.on('error', reject)
  })
  return {
    socket,
    seen,
    text: () => texts.join('\n'),
    until: (holds) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!holds(seen)) return
          checks.delete(check)
          resolve(seen)
        }
        checks.add(check)
        void closed.then((code) => reject(new Error(`the connection ended: ${code}`)))
        check()
      }),
    closed,
  }
}

/** The state values of the snapshots among `seen`, in order. */
export const valuesOf = (seen: readonly StatelyInspectionEvent[]): readonly unknown[] =>
  seen.flatMap((message) => {
    if (message.type !== '@xstate.snapshot') return []
    return 'value' in message.snapshot ? [message.snapshot.value] : []
  })

/** The types of the events among `seen`, in order. */
export const eventsOf = (seen: readonly StatelyInspectionEvent[]): readonly string[] =>
  seen.flatMap((message) => (message.type === '@xstate.event' ? [message.event.type] : []))
