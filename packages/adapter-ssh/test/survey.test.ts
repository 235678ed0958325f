/** What a host is found to have, what it keeps shells by, and what is owed there. */
import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { chosenKeeper } from '../src/keeper.js'
import { ledgerOf } from '../src/ledger.js'
import { surveyIn } from '../src/line.js'
import { surveyScript } from '../src/script.js'

describe('the survey of a host', () => {
  test('reads what this machine tells, its environment to the letter', () => {
    const odd = "a'b\n\nplace=/x\u001b$HOME"
    const text = execFileSync('sh', ['-c', surveyScript], {
      env: {
        PATH: process.env.PATH ?? '',
        ODD: odd,
        SSH_CLIENT: 'x',
        SSH_AUTH_SOCK: 'y',
        PWD: '/',
      },
      encoding: 'utf8',
    })
    const survey = surveyIn(text)
    expect(survey.environment).toEqual({ PATH: process.env.PATH, ODD: odd })
    expect(survey.place).toMatch(/^\/(dev\/shm|tmp)/)
    expect(survey.machine).toBe(execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim())
    expect(survey.served).toMatchObject({ pid: process.pid })
    expect([...survey.shows]).toEqual(
      expect.arrayContaining(['identity', 'foreground', 'leftover', 'terminalFlags']),
    )
  })

  test('tells what the kernel shows there of processes', () => {
    const shownIn = (...lines: readonly string[]) => [...surveyIn(`${lines.join('\n')}\n\n`).shows]
    const linux = ['served=1 2', 'boot=b', 'machine=x86_64']
    const plain = ['directory', 'environment', 'identity', 'foreground', 'leftover']
    expect(shownIn(...linux, 'calls=1', 'stty=1')).toEqual([...plain, 'waiting', 'terminalFlags'])
    // To its ancestors alone, as many systems have it.
    expect(shownIn(...linux, 'stty=1')).toEqual([...plain, 'terminalFlags'])
    expect(shownIn('served=1 2', 'machine=riscv64', 'calls=1')).toEqual(plain)
    // macOS, say: there is no /proc, and no kernel that tells who serves the connection.
    expect(shownIn('served=1 ', 'machine=arm64', 'stty=1')).toEqual([])
  })

  test('is content with a host that tells nothing', () => {
    const survey = surveyIn('place=\nmachine=\nserved=1 \nboot=\n\n')
    expect(survey).toMatchObject({ place: '/tmp', machine: '', served: undefined, environment: {} })
    expect(surveyIn('').tools.size).toBe(0)
  })
})

test('dtach keeps before tmux does, and what was asked for is not replaced', () => {
  const both = new Set(['dtach', 'tmux'])
  const tools = (...names: string[]) => new Set(names)
  expect(chosenKeeper('auto', both)).toBe('dtach')
  expect(chosenKeeper('auto', tools('tmux'))).toBe('tmux')
  expect(chosenKeeper('auto', tools())).toBe('none')
  expect(chosenKeeper('none', both)).toBe('none')
  expect(chosenKeeper('tmux', both)).toBe('tmux')
  expect(chosenKeeper('dtach', tools('tmux'))).toBeUndefined()
})

test('what could not be ended is owed its end once it is replaced, and not when it was found', () => {
  const owed: string[] = []
  const owe = (script: string) => owed.push(script)
  const ledger = ledgerOf()
  ledger.ending('a').missed(owe, 'end a')
  ledger.ending('b').missed(owe, 'end b')
  ledger.found('a')
  ledger.replaced('a')
  expect(owed).toEqual([])
  ledger.replaced('b')
  ledger.replaced('b')
  expect(owed).toEqual(['end b'])
})

test('what could not be ended is owed its end also when that is known after it was replaced', () => {
  const owed: string[] = []
  const owe = (script: string) => owed.push(script)
  const ledger = ledgerOf()
  const slow = ledger.ending('a')
  const ended = ledger.ending('a')
  ledger.replaced('a')
  ended.done()
  // The one that took its place is not owed anything for that.
  const next = ledger.ending('a')
  next.missed(owe, 'end the next')
  expect(owed).toEqual([])
  slow.missed(owe, 'end a')
  expect(owed).toEqual(['end a'])
  ledger.replaced('a')
  expect(owed).toEqual(['end a', 'end the next'])
})

test('what was found again while its end was asked for is not owed one', () => {
  const owed: string[] = []
  const ledger = ledgerOf()
  const slow = ledger.ending('a')
  ledger.found('a')
  slow.missed((script) => owed.push(script), 'end a')
  ledger.replaced('a')
  expect(owed).toEqual([])
})
