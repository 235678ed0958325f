/** What is made of the probe's answer where a host shows less. */
import { describe, expect, test } from 'vitest'
import { factIn } from '../src/probe.js'

const identity = { pid: 7, startTicks: 9, bootId: 'b' }

const answer = (more: {
  readonly state?: string
  readonly group?: number
  readonly asleep?: string
  readonly flags?: string
}): Buffer => {
  const { state = 'S', group = 7, asleep = 'do_select', flags = 'isig -icanon -echo' } = more
  return Buffer.from(
    [
      `leader 7 (ba) sh) ${state} 1 7 7 34816 ${group} 0${' 0'.repeat(24)} 0 0`,
      'terminal /dev/pts/3',
      `asleep 7 ${asleep}`,
      'flags',
      `speed 38400 baud;`,
      flags,
      '',
      '',
    ].join('\n'),
  )
}
const waits = (more: Parameters<typeof answer>[0]) =>
  factIn(answer(more), 0, identity, 'x86_64').leader?.waiting

describe('a host that shows nobody the calls of a process', () => {
  test('shows a shell at its prompt all the same', () => {
    expect(waits({})).toEqual({ _tag: 'reading', files: ['/dev/pts/3'], bounded: false })
    expect(waits({ asleep: 'wait_woken' })).toBeDefined()
  })

  test.each([
    ['runs', { state: 'R' }],
    ['is not in the foreground', { group: 8 }],
    ['sleeps elsewhere', { asleep: 'do_wait' }],
    ['sleeps nobody knows where', { asleep: '0' }],
    ['reads whole lines', { flags: 'isig icanon -echo' }],
    ['shows what is typed', { flags: 'isig -icanon echo' }],
    ['has a terminal that tells nothing', { flags: '' }],
  ])('claims nothing of one that %s', (_, more) => {
    expect(waits(more)).toBeUndefined()
  })
})

test('a process that is another one, or a dead one, is not alive', () => {
  expect(factIn(Buffer.from(''), 3, identity, 'x86_64').alive).toBe(false)
  expect(factIn(answer({ state: 'Z' }), 0, identity, 'x86_64').alive).toBe(false)
})

test('a host without /proc is not asked for more than whether the process lives', () => {
  const bare = { pid: 7 }
  expect(factIn(Buffer.from(''), 0, bare, 'Darwin')).toEqual({ alive: true, foreground: [] })
  expect(factIn(Buffer.from(''), 3, bare, 'Darwin').alive).toBe(false)
})

test('the name of a process may hold anything', () => {
  const { leader } = factIn(answer({}), 0, identity, 'x86_64')
  expect(leader).toMatchObject({ pid: 7, name: 'ba) sh', state: 'S', group: 7 })
})
