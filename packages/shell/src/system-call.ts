/**
 * What a process sleeps in, read from Linux's `/proc/PID/syscall`: pure, so that this machine and remote
 * ones judge by one table. A number that is not in it is a call that waits for something else.
 */

// ------------------------------------------------------------------------------------------ model

/** Machines whose calls are known, as Node names them. */
export type Machine = 'x64' | 'arm64'

/** How long a call waits: for ever, or for a while, after which the process goes on by itself. */
export type Patience = 'endless' | 'bounded'

export type SystemCall =
  | { readonly _tag: 'read'; readonly descriptor: number }
  | { readonly _tag: 'write'; readonly descriptor: number }
  /** `count` entries of 8 bytes each, from `address` on. */
  | {
      readonly _tag: 'poll'
      readonly address: bigint
      readonly count: number
      readonly patience: Patience
    }
  /** One bit for each of the first `count` descriptors, from `address` on. */
  | {
      readonly _tag: 'select'
      readonly address: bigint
      readonly count: number
      readonly patience: Patience
    }
  /** What is awaited stands in `/proc/PID/fdinfo/DESCRIPTOR`. */
  | { readonly _tag: 'epoll'; readonly descriptor: number; readonly patience: Patience }
  /** For a child of its own. */
  | { readonly _tag: 'child' }
  /** For another thread to let go of a lock, without a bound. */
  | { readonly _tag: 'lock' }
  | { readonly _tag: 'other' }

type Kind = 'read' | 'write' | 'poll' | 'ppoll' | 'select' | 'epoll' | 'epoll2' | 'child' | 'lock'

const tables: Readonly<Record<Machine, Readonly<Record<number, Kind>>>> = {
  x64: {
    0: 'read',
    19: 'read',
    1: 'write',
    20: 'write',
    7: 'poll',
    271: 'ppoll',
    23: 'select',
    270: 'select',
    232: 'epoll',
    281: 'epoll',
    441: 'epoll2',
    61: 'child',
    247: 'child',
    202: 'lock',
  },
  arm64: {
    63: 'read',
    65: 'read',
    64: 'write',
    66: 'write',
    73: 'ppoll',
    72: 'select',
    22: 'epoll',
    441: 'epoll2',
    260: 'child',
    95: 'child',
    98: 'lock',
  },
}

// A wait that goes on after the process was stopped. The kernel keeps the words of the call, not its number:
// a poll without end is known by them, all else waits for something else or for a while.
const goesOn = '219'
const endless = 0xffff_ffffn
const leastAddress = 0x1_0000n

// More descriptors than this are not looked at.
const countLimit = 1_024

// ------------------------------------------------------------------------------------ combinators

/**
 * Reads a line of `/proc/PID/syscall`.
 *
 * @returns `undefined` when the kernel does not show it, or the machine's calls are not known.
 * @example
 * systemCallOf('0 0x3 0x7f00 0x1 0x0 0x0 0x0 0x7ffd 0x7f27', 'x64') // => { _tag: 'read', descriptor: 3 }
 * systemCallOf('running', 'x64') // => { _tag: 'other' }
 * systemCallOf('', 'x64') // => undefined
 */
export const systemCallOf = (line: string, machine: string): SystemCall | undefined => {
  const [number = '', ...words] = line.trim().split(' ')
  const table = machine === 'x64' || machine === 'arm64' ? tables[machine] : undefined
  if (table === undefined || number === '') return undefined
  const isPoll = machine === 'x64' && number === goesOn && isEndlessPoll(words)
  const kind = isPoll ? 'poll' : /^\d+$/.test(number) ? table[Number(number)] : undefined
  if (kind === undefined) return { _tag: 'other' }
  if (words.length < 6 || !words.every((word) => /^0x[0-9a-f]+$/.test(word))) return undefined
  return callOf(
    kind,
    words.map((word) => BigInt(word)),
  )
}

const isEndlessPoll = ([address, count, patience]: readonly string[]): boolean =>
  [address, count, patience].every((word) => /^0x[0-9a-f]+$/.test(word ?? '')) &&
  BigInt(address ?? 0) > leastAddress &&
  BigInt(count ?? 0) > 0n &&
  BigInt(count ?? 0) <= BigInt(countLimit) &&
  BigInt.asUintN(32, BigInt(patience ?? 0)) === endless

const callOf = (kind: Kind, words: readonly bigint[]): SystemCall => {
  const [first = 0n, second = 0n, third = 0n, fourth = 0n, fifth = 0n] = words
  const descriptor = Number(BigInt.asIntN(32, first))
  switch (kind) {
    case 'read':
    case 'write':
      return { _tag: kind, descriptor }
    case 'poll':
      return { _tag: 'poll', address: first, count: bounded(second), patience: forMs(third) }
    case 'ppoll':
      return { _tag: 'poll', address: first, count: bounded(second), patience: forTime(third) }
    case 'select':
      return { _tag: 'select', address: second, count: bounded(first), patience: forTime(fifth) }
    case 'epoll':
      return { _tag: 'epoll', descriptor, patience: forMs(fourth) }
    case 'epoll2':
      return { _tag: 'epoll', descriptor, patience: forTime(fourth) }
    case 'child':
      return { _tag: 'child' }
    case 'lock':
      // FUTEX_WAIT and FUTEX_WAIT_BITSET, without a time.
      return isWait(second) && fourth === 0n ? { _tag: 'lock' } : { _tag: 'other' }
  }
}

const futexCommand = 0x7fn
const isWait = (operation: bigint): boolean =>
  (operation & futexCommand) === 0n || (operation & futexCommand) === 9n

const bounded = (count: bigint): number => Number(count < BigInt(countLimit) ? count : countLimit)

// A negative time is for ever; the argument is an int, whatever stands above it in the register.
const forMs = (word: bigint): Patience => (BigInt.asIntN(32, word) < 0n ? 'endless' : 'bounded')

// No `timespec` is for ever; however long one is, the process goes on by itself.
const forTime = (pointer: bigint): Patience => (pointer === 0n ? 'endless' : 'bounded')

// ---------------------------------------------------------------------------------------- memory

const pollIn = 1
const pollEntryBytes = 8

/** How much of the process's memory tells what a call waits for: none, or `bytes` from `address` on. */
export const memoryNeeded = (
  call: SystemCall,
): { readonly address: bigint; readonly bytes: number } | undefined => {
  if (call._tag === 'poll') return { address: call.address, bytes: pollEntryBytes * call.count }
  if (call._tag === 'select') return { address: call.address, bytes: Math.ceil(call.count / 8) }
  return undefined
}

/** The descriptors a `poll` waits to read from. @param memory what {@link memoryNeeded} asked for. */
export const polledDescriptors = (memory: Uint8Array): readonly number[] => {
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength)
  return Array.from({ length: Math.floor(memory.length / pollEntryBytes) }, (_, i) => {
    const descriptor = view.getInt32(i * pollEntryBytes, true)
    const events = view.getInt16(i * pollEntryBytes + 4, true)
    return descriptor >= 0 && (events & pollIn) !== 0 ? [descriptor] : []
  }).flat()
}

/** The descriptors a `select` waits to read from. @param memory what {@link memoryNeeded} asked for. */
export const selectedDescriptors = (memory: Uint8Array, count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => i).filter(
    (i) => ((memory[i >> 3] ?? 0) & (1 << (i & 7))) !== 0,
  )
