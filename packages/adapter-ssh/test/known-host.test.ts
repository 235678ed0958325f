/** Which keys a host is known by. */
import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fingerprintOf, knownHostsBook, pinnedBook } from '../src/known-host.js'

const key = (word: string): Buffer =>
  Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.from(word)])
const line = (names: string, word: string, type = 'ssh-ed25519'): string =>
  `${names} ${type} ${key(word).toString('base64')} a comment`
const hashed = (name: string): string => {
  const salt = Buffer.from('0123456789abcdefghij')
  const hash = createHmac('sha1', salt).update(name).digest('base64')
  return `|1|${salt.toString('base64')}|${hash}`
}

describe('keys that are pinned', () => {
  test('are known by fingerprint or by the key itself, and nothing else is', () => {
    for (const pin of [fingerprintOf(key('a')), `ssh-ed25519 ${key('a').toString('base64')} me`]) {
      expect(pinnedBook([pin]).judge(key('a'))).toBe('known')
      expect(pinnedBook([pin]).judge(key('b'))).toBe('changed')
    }
  })

  test('tell which types of key the host is to show', () => {
    const pin = `ssh-rsa ${key('a').toString('base64')}`
    expect(pinnedBook([pin, fingerprintOf(key('b'))]).types).toEqual(['ssh-rsa'])
  })
})

describe('a known_hosts file', () => {
  const judged = (text: string, word: string, host = 'build.example', port = 22) =>
    knownHostsBook(text, host, port).judge(key(word))

  test.each([
    ['a name', line('build.example', 'a')],
    ['one of several names', line('other,build.example,10.0.0.1', 'a')],
    ['letters of either case', line('BUILD.example', 'a')],
    ['a pattern', line('*.exampl?', 'a')],
    ['a hashed name', line(hashed('build.example'), 'a')],
    ['a line after comments and blanks', `# no\n\n   \n  ${line('build.example', 'a')}\r\n`],
    ['one of two keys', `${line('build.example', 'b')}\n${line('build.example', 'a')}`],
  ])('knows a host by %s', (_, text) => {
    expect(judged(text, 'a')).toBe('known')
  })

  test('knows a host on another port only by that port', () => {
    const text = line('[build.example]:2222', 'a')
    expect(judged(text, 'a', 'build.example', 2222)).toBe('known')
    expect(judged(text, 'a')).toBe('unknown')
    expect(judged(line('build.example', 'a'), 'a', 'build.example', 2222)).toBe('unknown')
    expect(judged(line(hashed('[build.example]:2222'), 'a'), 'a', 'build.example', 2222)).toBe(
      'known',
    )
  })

  test('tells a changed key from an unknown host', () => {
    expect(judged(line('build.example', 'b'), 'a')).toBe('changed')
    expect(judged(line('elsewhere', 'a'), 'a')).toBe('unknown')
    expect(judged('', 'a')).toBe('unknown')
  })

  test('revokes a key, however else it is known', () => {
    const text = `${line('build.example', 'a')}\n@revoked ${line('*', 'a')}`
    expect(judged(text, 'a')).toBe('revoked')
  })

  test('takes no authority of certificates for a host', () => {
    expect(judged(`@cert-authority ${line('build.example', 'a')}`, 'a')).toBe('unknown')
  })

  test('lets a name that is denied win, and no name pass for a pattern of another language', () => {
    expect(judged(line('*.example,!build.example', 'a'), 'a')).toBe('unknown')
    expect(judged(line('build.e(xample|x)', 'a'), 'a')).toBe('unknown')
    expect(judged(line('buildXexample', 'a'), 'a')).toBe('unknown')
    expect(judged(line('build.example', 'a'), 'a', 'buildXexample')).toBe('unknown')
  })
})
