/** What an app may declare of hosts, and how a mistake is told. */
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { poolHostOf, type SshHostOptions, wishOf } from '../src/option.js'

const good: SshHostOptions = {
  host: 'build.example',
  user: 'me',
  credential: { _tag: 'password', password: 'hunter2' },
  hostKeys: { _tag: 'pinned', keys: [`SHA256:${'a'.repeat(43)}`] },
}

const fieldOf = (read: E.Either<{ readonly field?: string }, unknown>) =>
  E.isLeft(read) ? read.left.field : undefined

describe('a declared host', () => {
  test('is completed', () => {
    expect(poolHostOf(good, 'hosts.0')).toMatchObject(
      E.right({ host: 'build.example', port: 22, user: 'me', labels: [], keeper: 'auto' }),
    )
  })

  test.each([
    ['host', { host: '-oProxyCommand=sh' }],
    ['host', { host: 'a b' }],
    ['host', { host: '' }],
    ['host', { host: 'a\nb' }],
    ['user', { user: '-l' }],
    ['user', { user: 'a b' }],
    ['user', { user: 'a\u0007' }],
    ['port', { port: 0 }],
    ['port', { port: 65_536 }],
    ['port', { port: 22.5 }],
    ['keeper', { keeper: 'screen' }],
    ['credential', { credential: undefined }],
    ['credential.password', { credential: { _tag: 'password', password: 12_345 } }],
    ['credential.privateKey', { credential: { _tag: 'private-key', privateKey: '' } }],
    ['credential.socketPath', { credential: { _tag: 'agent' } }],
    ['hostKeys', { hostKeys: undefined }],
    ['hostKeys.keys', { hostKeys: { _tag: 'pinned', keys: [] } }],
    ['hostKeys.keys', { hostKeys: { _tag: 'pinned', keys: ['SHA256:abc'] } }],
    ['hostKeys.keys', { hostKeys: { _tag: 'pinned', keys: ['ssh-ed25519'] } }],
    ['hostKeys.path', { hostKeys: { _tag: 'known-hosts' } }],
  ])('is refused by the name of its field: %s', (field, wrong) => {
    const read = poolHostOf({ ...good, ...wrong } as SshHostOptions, 'hosts.3')
    expect(fieldOf(read)).toBe(`hosts.3.${field}`)
    expect(read).toMatchObject(E.left({ permanent: true }))
    expect(JSON.stringify(read)).not.toContain('12345')
  })
})

describe('what a session asks for', () => {
  test.each([
    ['sshOptions', {}],
    ['sshOptions.host', { sshOptions: { host: '-x' } }],
    ['sshOptions.port', { sshOptions: { host: 'h', port: '22' } }],
    ['sshOptions.user', { sshOptions: { host: 'h', user: 'a b' } }],
    ['requires.0', { sshOptions: { host: 'h' }, requires: [1] }],
  ])('is refused by the name of its field: %s', (field, options) => {
    expect(fieldOf(wishOf(options))).toBe(field)
  })

  test('never lets through what a command line could take for something else', () => {
    const word = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('-', ' ', 'a', '\0') }))
    holds(
      fc.property(word, word, (host, user) => {
        const read = wishOf({ sshOptions: { host, user } })
        if (E.isLeft(read)) return
        for (const word of [host, user]) expect(word).toMatch(/^[^-\s\p{C}][^\s\p{C}]*$/u)
      }),
    )
  })
})
