/** What a process sleeps in is read from the kernel's own words, for each machine that is known. */
import { expect, it, test } from 'vitest'
import {
  memoryNeeded,
  polledDescriptors,
  type SystemCall,
  selectedDescriptors,
  systemCallOf,
} from '../src/system-call.js'

const line = (number: number, ...words: readonly string[]): string =>
  [String(number), ...words, ...Array(8).fill('0x0')].slice(0, 9).join(' ')

test.each<readonly [string, string, string, SystemCall]>([
  ['read', 'x64', line(0, '0x3'), { _tag: 'read', descriptor: 3 }],
  ['pread64', 'x64', line(17, '0x3'), { _tag: 'other' }],
  ['readv', 'x64', line(19, '0x4'), { _tag: 'read', descriptor: 4 }],
  ['write', 'x64', line(1, '0x1'), { _tag: 'write', descriptor: 1 }],
  ['writev', 'x64', line(20, '0x2'), { _tag: 'write', descriptor: 2 }],
  [
    'poll without end',
    'x64',
    line(7, '0x1000', '0x2', '0xffffffff'),
    { _tag: 'poll', address: 0x1000n, count: 2, patience: 'endless' },
  ],
  [
    'poll without end, the register written whole',
    'x64',
    line(7, '0x1000', '0x2', '0xffffffffffffffff'),
    { _tag: 'poll', address: 0x1000n, count: 2, patience: 'endless' },
  ],
  [
    'poll without end that goes on after a stop',
    'x64',
    line(219, '0x55550000', '0x2', '0xffffffff'),
    { _tag: 'poll', address: 0x55550000n, count: 2, patience: 'endless' },
  ],
  ['a bounded poll that goes on', 'x64', line(219, '0x55550000', '0x2', '0x10'), { _tag: 'other' }],
  ['a sleep that goes on', 'x64', line(219, '0x0', '0x0', '0x7ffd0000'), { _tag: 'other' }],
  ['a lock that goes on', 'x64', line(219, '0x55550000', '0x89', '0x2'), { _tag: 'other' }],
  [
    'poll for five seconds',
    'x64',
    line(7, '0x1000', '0x1', '0x1388'),
    { _tag: 'poll', address: 0x1000n, count: 1, patience: 'bounded' },
  ],
  [
    'poll that does not wait',
    'x64',
    line(7, '0x1000', '0x1', '0x0'),
    { _tag: 'poll', address: 0x1000n, count: 1, patience: 'bounded' },
  ],
  [
    'poll of more than is looked at',
    'x64',
    line(7, '0x1000', '0xffffff', '0x0'),
    { _tag: 'poll', address: 0x1000n, count: 1_024, patience: 'bounded' },
  ],
  [
    'ppoll without end',
    'x64',
    line(271, '0x1000', '0x1', '0x0'),
    { _tag: 'poll', address: 0x1000n, count: 1, patience: 'endless' },
  ],
  [
    'ppoll for a while',
    'arm64',
    line(73, '0x1000', '0x1', '0x7ff0'),
    { _tag: 'poll', address: 0x1000n, count: 1, patience: 'bounded' },
  ],
  [
    'select without end',
    'x64',
    line(23, '0x1', '0x2000', '0x5', '0x6', '0x0'),
    { _tag: 'select', address: 0x2000n, count: 1, patience: 'endless' },
  ],
  [
    'pselect6 for a while',
    'x64',
    line(270, '0x4', '0x2000', '0x0', '0x0', '0x7ff0'),
    { _tag: 'select', address: 0x2000n, count: 4, patience: 'bounded' },
  ],
  [
    'pselect6',
    'arm64',
    line(72, '0x4', '0x2000'),
    { _tag: 'select', address: 0x2000n, count: 4, patience: 'endless' },
  ],
  [
    'epoll_wait without end',
    'x64',
    line(232, '0x9', '0x1', '0x400', '0xffffffff'),
    { _tag: 'epoll', descriptor: 9, patience: 'endless' },
  ],
  [
    'epoll_pwait for a while',
    'x64',
    line(281, '0xe', '0x1', '0x400', '0x1f9d'),
    { _tag: 'epoll', descriptor: 14, patience: 'bounded' },
  ],
  [
    'epoll_pwait',
    'arm64',
    line(22, '0xe', '0x1', '0x400', '0xffffffff'),
    { _tag: 'epoll', descriptor: 14, patience: 'endless' },
  ],
  [
    'epoll_pwait2 without end',
    'x64',
    line(441, '0xe', '0x1', '0x400', '0x0'),
    { _tag: 'epoll', descriptor: 14, patience: 'endless' },
  ],
  [
    'epoll_pwait2 for a while',
    'arm64',
    line(441, '0xe', '0x1', '0x400', '0x7ff0'),
    { _tag: 'epoll', descriptor: 14, patience: 'bounded' },
  ],
  ['wait4', 'x64', line(61, '0xffffffff'), { _tag: 'child' }],
  ['waitid', 'x64', line(247), { _tag: 'child' }],
  ['wait4', 'arm64', line(260), { _tag: 'child' }],
  ['waitid', 'arm64', line(95), { _tag: 'child' }],
  ['futex, waiting', 'x64', line(202, '0x7f00', '0x80'), { _tag: 'lock' }],
  ['futex, waiting by bitset', 'x64', line(202, '0x7f00', '0x189'), { _tag: 'lock' }],
  [
    'futex, waiting for a while',
    'x64',
    line(202, '0x7f00', '0x189', '0x0', '0x7ff0'),
    { _tag: 'other' },
  ],
  ['futex, waking', 'x64', line(202, '0x7f00', '0x81'), { _tag: 'other' }],
  ['futex', 'arm64', line(98, '0x7f00', '0x80'), { _tag: 'lock' }],
  ['read', 'arm64', line(63, '0x0'), { _tag: 'read', descriptor: 0 }],
  ['readv', 'arm64', line(65, '0x0'), { _tag: 'read', descriptor: 0 }],
  ['write', 'arm64', line(64, '0x1'), { _tag: 'write', descriptor: 1 }],
  ['writev', 'arm64', line(66, '0x1'), { _tag: 'write', descriptor: 1 }],
  ['clock_nanosleep', 'x64', line(230), { _tag: 'other' }],
  ['wait4 of another machine', 'arm64', line(61), { _tag: 'other' }],
  ['nothing: it runs', 'x64', 'running\n', { _tag: 'other' }],
  ['nothing: it sleeps elsewhere', 'x64', '-1 0x7ffd 0x7f27\n', { _tag: 'other' }],
])('%s on %s', (_, machine, text, call) => {
  expect(systemCallOf(text, machine)).toEqual(call)
})

it('knows nothing of what it was not shown, and of other machines', () => {
  expect(systemCallOf('', 'x64')).toBeUndefined()
  expect(systemCallOf('\n', 'x64')).toBeUndefined()
  expect(systemCallOf('0 0x3', 'x64')).toBeUndefined()
  expect(systemCallOf('0 3 0x1 0x1 0x1 0x1 0x1', 'x64')).toBeUndefined()
  expect(systemCallOf(line(0, '0x3'), 'riscv64')).toBeUndefined()
})

it('asks for as much memory as the call names', () => {
  const poll = systemCallOf(line(7, '0x1000', '0x3', '0xffffffff'), 'x64')
  const select = systemCallOf(line(23, '0x9', '0x2000'), 'x64')
  const other = systemCallOf(line(0, '0x3'), 'x64')
  expect(poll && memoryNeeded(poll)).toEqual({ address: 0x1000n, bytes: 24 })
  expect(select && memoryNeeded(select)).toEqual({ address: 0x2000n, bytes: 2 })
  expect(other && memoryNeeded(other)).toBeUndefined()
})

it('reads what is polled: the descriptors that are awaited for reading', () => {
  const memory = Buffer.alloc(32)
  const entries = [
    [0, 1],
    [7, 4],
    [-1, 1],
    [9, 3],
  ] as const
  entries.forEach(([descriptor, events], i) => {
    memory.writeInt32LE(descriptor, i * 8)
    memory.writeInt16LE(events, i * 8 + 4)
  })
  expect(polledDescriptors(memory)).toEqual([0, 9])
  expect(polledDescriptors(new Uint8Array())).toEqual([])
})

it('reads what is selected, and nothing beyond the count', () => {
  expect(selectedDescriptors(Uint8Array.of(0b1000_0101, 0b11), 10)).toEqual([0, 2, 7, 8, 9])
  expect(selectedDescriptors(Uint8Array.of(0b1000_0101, 0b11), 9)).toEqual([0, 2, 7, 8])
  expect(selectedDescriptors(new Uint8Array(), 3)).toEqual([])
})
