/** What a remote process waits for is read from what the probe shows, by the table all hosts share. */
import { execFile, spawn } from 'node:child_process'
import { describe, expect, it, test } from 'vitest'
import { factIn, probeScript } from '../src/probe.js'
import { ignoresStopsIn, type Shown, waitingIn } from '../src/waiting.js'

const line = (number: number, ...words: readonly string[]): string =>
  [String(number), ...words, ...Array(8).fill('0x0')].slice(0, 9).join(' ')

const shownOf = (call: string | undefined, more: Partial<Shown> = {}): Shown => ({
  call: () => call,
  threads: () => [],
  ignored: () => undefined,
  link: (_, descriptor) => (descriptor === 0 ? '/dev/pts/1' : `pipe:[${descriptor}]`),
  memory: () => undefined,
  watched: () => [0, 5],
  ...more,
})
const poll = Buffer.from([0, 0, 0, 0, 1, 0, 0, 0])

describe('what a process waits for', () => {
  test.each<readonly [string, Shown, ReturnType<typeof waitingIn>]>([
    ['nothing that is shown', shownOf(undefined), undefined],
    ['input', shownOf(line(0, '0x0')), { _tag: 'reading', files: ['/dev/pts/1'], bounded: false }],
    ['a child', shownOf(line(61)), { _tag: 'others' }],
    ['who reads its pipe', shownOf(line(1, '0x4')), { _tag: 'others' }],
    ['room on the terminal', shownOf(line(1, '0x0')), { _tag: 'elsewhere' }],
    ['time', shownOf(line(230)), { _tag: 'elsewhere' }],
    ['a lock', shownOf(line(202, '0x7f', '0x80')), { _tag: 'elsewhere' }],
    [
      'input among others',
      shownOf(line(232, '0x9', '0x1', '0x1', '0xffffffff')),
      { _tag: 'reading', files: ['/dev/pts/1', 'pipe:[5]'], bounded: false },
    ],
    [
      'input for a while',
      shownOf(line(7, '0x9000', '0x1', '0x10'), { memory: () => poll }),
      { _tag: 'reading', files: ['/dev/pts/1'], bounded: true },
    ],
    ['a poll whose memory is not shown', shownOf(line(7, '0x9000', '0x1', '0x10')), undefined],
    [
      'a poll of nothing',
      shownOf(line(7, '0x0', '0x0', '0x10')),
      { _tag: 'reading', files: [], bounded: true },
    ],
    [
      'input, while a thread works',
      shownOf(line(0, '0x0'), { threads: () => [line(202, '0x7f', '0x80'), 'running'] }),
      {
        _tag: 'reading',
        files: ['/dev/pts/1', 'what another thread waits for'],
        bounded: false,
      },
    ],
    [
      'input, while its threads are idle',
      shownOf(line(0, '0x0'), { threads: () => [line(202, '0x7f', '0x80')] }),
      { _tag: 'reading', files: ['/dev/pts/1'], bounded: false },
    ],
  ])('%s', (_, shown, waiting) => {
    expect(waitingIn(shown, 1, 'x86_64')).toEqual(waiting)
  })

  it('is not known on a machine whose calls are not', () => {
    expect(waitingIn(shownOf(line(0, '0x0')), 1, 'riscv64')).toBeUndefined()
    expect(waitingIn(shownOf(line(63, '0x0')), 1, 'aarch64')).toMatchObject({ _tag: 'reading' })
  })
})

it('tells who ignores the stop signals of a terminal', () => {
  const masks = ['0000000000384004', '0000000000080000', 'nonsense', undefined]
  expect(masks.map((mask) => ignoresStopsIn(shownOf('', { ignored: () => mask }), 1))).toEqual([
    true,
    false,
    undefined,
    undefined,
  ])
})

it('is shown by the probe of a real process', async () => {
  const line = `sh -c 'trap "" TSTP TTOU; echo up $$; read x'`
  const child = spawn('script', ['-qfc', line, '/dev/null'], {
    env: { ...process.env, SHELL: '/bin/sh' },
  })
  try {
    const pid = await new Promise<number>((resolve) => {
      let said = ''
      child.stdout.on('data', (chunk) => {
        said += String(chunk)
        const told = /up (\d+)\r\n/.exec(said)?.[1]
        if (told !== undefined) resolve(Number(told))
      })
    })
    const stat = await run(`cat /proc/${pid}/stat`)
    const startTicks = Number(stat.toString().split(') ')[1]?.split(' ')[19])
    const bootId = (await run('cat /proc/sys/kernel/random/boot_id')).toString().trim()
    const identity = { pid, startTicks, bootId }
    const machine = (await run('uname -m')).toString().trim()
    const endMs = performance.now() + 10_000
    const isReading = { _tag: 'reading', bounded: false }
    for (;;) {
      const fact = factIn(
        await run(`f() {\n${probeScript(identity, true)}\n}\nf`),
        0,
        identity,
        machine,
      )
      if (fact.leader?.waiting?._tag === 'reading' || performance.now() > endMs) {
        expect(fact.leader).toMatchObject({ pid, ignoresStops: true, waiting: isReading })
        expect(fact.flags).toEqual({ lineMode: true, echo: true, signals: true })
        return
      }
    }
  } finally {
    child.kill('SIGKILL')
  }
})

const run = (script: string): Promise<Buffer> =>
  new Promise((resolve) => {
    execFile('sh', ['-c', script], { encoding: 'buffer' }, (_, stdout) => resolve(stdout))
  })
