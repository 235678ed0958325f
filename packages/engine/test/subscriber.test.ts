/**
 * Subscribers: told of everything in order, after it is durable and before it is acted on; what they do
 * wrong is their own affair.
 */
import { describe, expect, test } from 'vitest'
import { answered, dead, failed, seen, started } from './scripted-world.js'

describe('subscribers', () => {
  test('one that throws or rejects disturbs nobody', async () => {
    const made = await started()
    const told: string[] = []
    made.engine.subscribe(() => {
      throw new Error('a subscriber that throws')
    })
    made.engine.subscribe(async () => {
      throw new Error('a subscriber that rejects')
    })
    const end = made.engine.subscribe(({ _tag }) => told.push(_tag))
    expect((await answered(made, made.engine.recover('s')))._tag).toBe('recovered')
    expect(told).toEqual(['decided', 'decided', 'decided'])
    expect(made.logged.length).toBe(6)
    end()
    await made.engine.update('s', {})
    expect(told).toHaveLength(3)
  })

  test('are told of a decision after it is durable and before it is acted on', async () => {
    const order: string[] = []
    const made = await started({
      script: {
        run: () => {
          order.push('run')
          return failed()
        },
      },
    })
    made.engine.subscribe((notice) => {
      if (notice._tag !== 'decided') return
      const { record } = notice
      order.push(
        `${notice.entry.event.type} ${made.medium.sessions.get('s')?.record.rev === record.rev}`,
      )
    })
    await made.engine.reportFailure('s', 'connection reset')
    await made.time.advance(0)
    expect(order).toEqual(['failed true', 'run', 'acted true', 'run', 'acted true'])
  })

  test('are told that a session is gone before its driver lets go of it', async () => {
    const order: string[] = []
    const detach = async () => void order.push('detach')
    const made = await started({ script: { detach } })
    made.engine.subscribe((notice) => order.push(notice._tag))
    await made.engine.unregister('s')
    expect(order).toEqual(['decided', 'detach'])
  })

  test('destroy stops, and forgets them', async () => {
    const made = await started({ script: { verify: () => dead, capture: () => seen() } })
    await answered(made, made.engine.destroy())
    const told = made.notices.length
    expect(made.notices.at(-1)).toEqual({ _tag: 'stopped' })
    expect((await answered(made, made.engine.start()))._tag).toBe('started')
    expect(made.notices).toHaveLength(told)
    await made.engine.destroy()
  })
})
