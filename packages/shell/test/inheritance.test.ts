/** What another life of the app left is seen to before anything is started; until then it stays named. */
import type { Clock } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import type { Host } from '../src/index.js'
import { inheritedIn, standingOf } from '../src/inheritance.js'
import { respawn } from '../src/respawn.js'
import { sessionOf } from '../src/session.js'
import { requestFor } from './scripted-shell.js'

const clock: Clock = { wallMs: () => 0, monotonicMs: () => 0, schedule: () => () => {} }
const pad = { clock, nonce: () => 'n'.repeat(32), promptTimeoutMs: 1_000 }
const exec = async () => ({ _tag: 'lost', detail: 'there is no process' }) as const
const standing = { place: 'far', kept: { name: 'dtach:/d', identity: { pid: 7, startTicks: 8 } } }

const inheriting = (host: Omit<Host, 'start'>) => {
  const asked: string[] = []
  const whole: Host = {
    ...host,
    start: async () => {
      asked.push('start')
      return { _tag: 'not-started', failure: { detail: 'no terminal' } }
    },
    ...(host.endKept === undefined
      ? {}
      : {
          endKept: (...of) => {
            asked.push(`end ${of[1].identity.pid}`)
            return (host.endKept as NonNullable<Host['endKept']>)(...of)
          },
        }),
  }
  const spec = { command: 'bash', args: [], cwd: '/', environment: {}, attended: false }
  const size = { cols: 80, rows: 24 }
  const start = { id: 'a', spec, options: {}, host: whole, size, outputLimitBytes: 1_024 }
  const session = sessionOf(start, exec, { changed: () => {}, gone: () => {} })
  session.inherited = inheritedIn(standing)
  return { session, asked }
}

test('a host that cannot be reached: nothing is started beside what may run on', async () => {
  const { session, asked } = inheriting({
    name: 'far',
    endKept: async () => E.left({ detail: 'no answer' }),
  })
  expect(await respawn(session, 'restore', requestFor({}), pad)).toMatchObject({
    _tag: 'failed',
    detail: 'no answer',
  })
  expect(asked).toEqual(['end 7'])
  expect(standingOf(session)).toEqual(standing)
})

test('it is ended once, and is named no more, whatever becomes of the start', async () => {
  const { session, asked } = inheriting({
    name: 'far',
    endKept: async () => E.right({ _tag: 'ended', leftover: { ended: ['make'], letBe: [] } }),
  })
  for (const depth of ['restore', 'restart'] as const) {
    expect(await respawn(session, depth, requestFor({}), pad)).toMatchObject({ _tag: 'failed' })
  }
  expect(asked).toEqual(['end 7', 'start', 'start'])
  expect(standingOf(session)).toEqual({ place: 'far' })
})

test('on another host it stays named until something was started', async () => {
  const { session } = inheriting({ name: 'near' })
  expect(await respawn(session, 'restore', requestFor({}), pad)).toMatchObject({ _tag: 'failed' })
  expect(standingOf(session)).toEqual(standing)
})
