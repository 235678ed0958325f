/** A session is given up where it stands only when it can be begun elsewhere. */
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import type { Host } from '../src/index.js'
import { requestFor, scriptedShell } from './scripted-shell.js'

const down: Host = {
  name: 'down',
  environment: async () => E.left({ detail: 'nobody answers' }),
  start: async () => ({ _tag: 'not-started', failure: { detail: 'nobody answers' } }),
}

const opened = async (others: (start: Host['start']) => readonly Host[], command = 'bash') => {
  const made = scriptedShell(others)
  const session = await made.passing(made.driver.open('a', { command, cwd: '/', env: {} })())
  if (E.isLeft(session)) throw new Error(session.left.message)
  const { right } = session
  return { ...made, session: right, pid: right.pid() }
}

describe.each(['migrate', 'replicate'] as const)('%s', (strategy) => {
  const request = requestFor({ strategy, replicaId: 'b' })

  it('ends nothing where no other host can be reached', async () => {
    const made = await opened(() => [down, { ...down, name: 'down too' }])
    const outcome = await made.passing(made.driver.run(request)())
    expect(outcome).toMatchObject({
      right: {
        _tag: 'failed',
        detail: 'down: nobody answers; down too: nobody answers',
      },
    })
    expect(made.session.pid()).toBe(made.pid)
    expect(made.session.place()).toBe('nowhere')
    expect(await made.passing(made.session.exec('true'))).toMatchObject({ _tag: 'finished' })
    expect(made.driver.session('b')).toBeUndefined()
  })

  it('ends no program that may not be started again', async () => {
    const made = await opened((start) => [{ name: 'elsewhere', start }], 'sleep')
    const traits = { ...request.traits, shell: false }
    const outcome = await made.passing(made.driver.run({ ...request, traits })())
    expect(outcome).toMatchObject({ right: { _tag: 'not-applicable' } })
    expect(made.session.pid()).toBe(made.pid)
    expect(made.session.place()).toBe('nowhere')
    expect(made.session.write('still heard')).toBe(true)
    expect(made.starts()).toBe(1)
  })

  it('takes the next host where the first cannot be reached', async () => {
    const made = await opened((start) => [down, { name: 'elsewhere', start }])
    const outcome = await made.passing(made.driver.run(request)())
    expect(outcome).toMatchObject({ right: { _tag: 'done' } })
    const taken = strategy === 'migrate' ? made.session : made.driver.session('b')
    expect(taken?.place()).toBe('elsewhere')
    expect(taken?.pid()).not.toBe(made.pid)
    expect(made.starts()).toBe(2)
  })
})
