/**
 * The program's side of a hosted store: answers the calls of the process that started this one. It loads
 * nothing, so that such a program starts fast.
 */
import type { Store, storeCalls } from '@session-recovery/core'

// ------------------------------------------------------------------------------------------ model

export type Call = (typeof storeCalls)[number]

export interface Question {
  readonly id: number
  readonly call: Call | 'make'
  readonly args: readonly unknown[]
}

export interface Answer {
  readonly id: number
  readonly answer: unknown
}

// ----------------------------------------------------------------------------------------- server

/** Answers the questions of the process that started this one; `make` makes a store at a place. */
export const serveStores = (make: (place: string) => Store): void => {
  let store: Store | undefined
  const ask = async ({ call, args }: Question): Promise<unknown> => {
    if (call === 'make') {
      store = make(String(args[0]))
      return { _tag: 'Right', right: undefined }
    }
    if (store === undefined) throw new Error('no store was made')
    if (call === 'open') return store.open()
    if (call === 'close') return store.close()
    const task = (store[call] as (...rest: readonly unknown[]) => () => Promise<unknown>)(...args)
    return task()
  }
  process.on('message', async (question: Question) => {
    const answer = await ask(question)
    process.send?.({ id: question.id, answer } satisfies Answer)
  })
  process.on('disconnect', () => process.exit())
}
