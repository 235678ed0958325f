/** What an app declares and changes: what is made of it, and which field is named where it cannot be accepted. */
import { defaultPolicy, type Policy } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import type { Registration } from '../src/face.js'
import { checkedRegistration, checkedUpdate, firstSnapshot } from '../src/registration.js'

/** As an app without types may write it. */
const declared = (
  registration: object,
  sessionId: unknown = 's',
  derived?: () => readonly string[],
  policy: Partial<Policy> = {},
) =>
  checkedRegistration(
    sessionId as string,
    registration as Registration,
    { ...defaultPolicy, ...policy },
    derived,
  )

const traitsOf = (...args: Parameters<typeof declared>) => {
  const checked = declared(...args)
  if (E.isLeft(checked)) throw new Error(checked.left.message)
  return checked.right.traits
}

/** What is wrong, and where. */
const wrong = (checked: E.Either<{ readonly message: string; readonly path: string }, unknown>) =>
  E.isLeft(checked) ? [checked.left.path, checked.left.message] : undefined

test('what is known of a session comes without its secrets, and without the lines that were looked at', () => {
  const environment = { A_TOKEN: 'hunter2hunter2' }
  const checked = declared({ sessionOptions: { environment }, idempotentCommands: ['make'] })
  expect(checked).toMatchObject({
    right: {
      first: {
        snapshot: {
          environment: { A_TOKEN: 'session-recovery-secret:s/env/A_TOKEN' },
          commandHistory: [],
        },
        secrets: new Map([
          ['session-recovery-secret:s/env/A_TOKEN', 'hunter2hunter2'],
          ['session-recovery-secret:s/options/environment/A_TOKEN', 'hunter2hunter2'],
        ]),
      },
    },
  })
})

describe('what is declared of a session', () => {
  test('is, where nothing is said, a shell that somebody sits at', () => {
    expect(traitsOf({})).toEqual({
      ...{ kind: 'local', attended: true, shell: true, rerunnable: false },
      ...{ failureExitCodes: [], idempotentCommands: [] },
    })
    expect(Object.keys(traitsOf({}))).not.toContain('domains')
  })

  test('is what the app says', () => {
    const said = { attended: false, shell: true, rerunnable: true, idempotentCommands: ['make'] }
    const sessionOptions = { command: 'node server.js', sshOptions: { host: 'h' } }
    expect(traitsOf({ ...said, sessionOptions, failureExitCodes: [3] })).toEqual({
      ...{ ...said, kind: 'ssh', failureExitCodes: [3] },
    })
    expect(traitsOf({ sessionOptions }).shell).toBe(false)
  })

  test('fails with the exit codes of the policy, too', () => {
    const traits = traitsOf({ failureExitCodes: [3] }, 's', undefined, { failureExitCodes: [7] })
    expect(traits.failureExitCodes).toEqual([3, 7])
  })

  test('shares each domain once, in order, with those the driver knows', () => {
    const domains = ['z', 'host:h', 'z']
    expect(traitsOf({ domains }, 's', () => ['rack', 'z']).domains).toEqual(['host:h', 'rack', 'z'])
    expect(traitsOf({}, 's', () => ['rack']).domains).toEqual(['rack'])
    expect(traitsOf({ domains: [] }).domains).toBeUndefined()
  })

  test.each([
    ['domains', { domains: 'host:h' }],
    ['domains.0', { domains: [''] }],
    ['failureExitCodes', { failureExitCodes: 3 }],
    ['failureExitCodes.0', { failureExitCodes: ['3'] }],
    ['attended', { attended: 'no' }],
    ['sessionState.at.0', { sessionState: { at: [1n] } }],
    ['sessionOptions.at', { sessionOptions: { at: 1n } }],
    ['idempotentCommands.1', { idempotentCommands: ['ls', 'mysql --password=hunter2222'] }],
  ])('is refused with the field named: %s', (path, registration) => {
    const found = wrong(declared(registration))
    expect(found?.[0]).toBe(path)
    expect(found?.[1]).toContain(`registration: ${path}: expected `)
  })

  test.each([[''], [null], [7]])('is refused without an id: %j', (sessionId) => {
    expect(wrong(declared({}, sessionId))?.[0]).toBe('sessionId')
    expect(declared({}, sessionId)).toMatchObject({
      left: { _tag: 'DecodeError', subject: 'registration', actual: expect.stringMatching(/./) },
    })
  })

  test('is refused where the id is a secret of its environment', () => {
    const sessionOptions = { env: { API_TOKEN: 'correct-horse-battery' } }
    expect(wrong(declared({ sessionOptions }, 'correct-horse-battery'))).toEqual([
      ...['sessionId', 'registration: sessionId: expected an id without a secret'],
    ])
    expect(wrong(declared({ sessionOptions }, 'correct-horse'))).toBeUndefined()
  })
})

describe('an update', () => {
  test('keeps a date that lives, and drops what nobody knows', () => {
    const at = new Date(5)
    const update = { sessionState: { at }, commandHistory: ['ls'], colour: 'red' }
    expect(checkedUpdate(update)).toEqual(E.right({ sessionState: { at }, commandHistory: ['ls'] }))
    expect(checkedUpdate({ commandHistory: ['ls'] })).toEqual(E.right({ commandHistory: ['ls'] }))
  })

  test.each([
    ['sessionState.at.0', { sessionState: { at: [1n] } }],
    ['sessionState', { sessionState: 1n }],
    ['outputBuffer', { outputBuffer: 'text' }],
    ['', null],
    ['', 'text'],
    ['', undefined],
  ])('is refused with the field named: %s', (path, update) => {
    const found = wrong(checkedUpdate(update))
    expect(found?.[0]).toBe(path)
    expect(found?.[1]).toContain(
      path === '' ? 'snapshot update: expected' : `snapshot update: ${path}: expected `,
    )
  })

  test('keeps what only looks like a marked date, and what says itself how it is stored', () => {
    const mine = { sessionState: { $date: 'mine', at: { toJSON: () => 5 } } }
    expect(checkedUpdate(mine)).toEqual(E.right({ sessionState: { $date: 'mine', at: 5 } }))
  })

  test('is not read from what it inherits', () => {
    const inherited = Object.create({ sessionState: 1n, commandHistory: ['ls'] })
    expect(checkedUpdate({ ...inherited })).toEqual(E.right({}))
    expect(E.isRight(checkedUpdate(inherited)) && checkedUpdate(inherited)).toEqual(E.right({}))
  })
})

test('what is not known of a session when it is registered stays unknown', () => {
  const timestamp = new Date(5)
  const nothing = { commandHistory: [], outputBuffer: [], environment: {}, workingDirectory: '' }
  expect(firstSnapshot('s', {}, timestamp)).toEqual({
    ...{ sessionId: 's', timestamp, sessionState: null, sessionOptions: null, ...nothing },
  })
  const sessionOptions = { cwd: '/srv', env: { A: 'b' } }
  expect(firstSnapshot('s', { sessionState: 7, sessionOptions }, timestamp)).toEqual({
    ...{ sessionId: 's', timestamp, sessionState: 7, sessionOptions, ...nothing },
    ...{ environment: { A: 'b' }, workingDirectory: '/srv' },
  })
})
