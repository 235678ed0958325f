/** In which order a newcomer is shown what is there and what happens meanwhile. */
import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { audience } from '../src/audience.js'

/** A socket that takes one message at a time, when the test says so. */
class Socket extends EventEmitter {
  readonly readyState = WebSocket.OPEN
  readonly bufferedAmount = 0
  readonly sent: string[] = []
  readonly #taken: ((error?: Error) => void)[] = []

  send(message: string, taken: (error?: Error) => void): void {
    this.sent.push(message)
    this.#taken.push(taken)
  }

  take(error?: Error): void {
    for (const taken of this.#taken.splice(0)) taken(error)
  }
}

const scene = () => {
  const present = new Map([
    ['a', 'a is new'],
    ['b', 'b is new'],
    ['c', 'c is new'],
  ])
  const viewers = audience({
    bufferLimitBytes: 1_000,
    logger: () => {},
    present: () => [...present.keys()],
    introduce: (sessionId) => [present.get(sessionId) ?? []].flat(),
  })
  const socket = new Socket()
  viewers.join(socket as never)
  return { present, viewers, socket }
}

describe('a newcomer', () => {
  it('is told of a session only after it was introduced, as it then is', () => {
    const { present, viewers, socket } = scene()
    viewers.tell('a', () => ['a changed'])
    viewers.tell('b', () => ['b changed'])
    viewers.tell('d', () => ['d is new'])
    present.set('b', 'b is changed')
    present.delete('c')
    expect(socket.sent).toEqual(['a is new', 'a changed', 'd is new'])
    socket.take()
    viewers.tell('b', () => ['b changed again'])
    socket.take()
    expect(socket.sent.slice(3)).toEqual(['b is changed', 'b changed again'])
  })

  it('is introduced to nobody any more once it cannot be reached', () => {
    const { viewers, socket } = scene()
    socket.take(new Error('gone'))
    expect(socket.sent).toEqual(['a is new'])
    socket.emit('close')
    expect(viewers.size()).toBe(0)
    viewers.tell('a', () => {
      throw new Error('nobody listens')
    })
  })
})
