/**
 * What a shell makes of a line that is typed is not always that line: its history, an abbreviation or a
 * key of the user's may make another of it. What ran is then said, not that the line did.
 */
import { afterEach, describe, expect } from 'vitest'
import { needing, quieten } from './dialect.js'
import { type Rig, rigOf } from './rig.js'

let rig: Rig
afterEach(() => rig.close())

const open = async (command: string) => {
  rig = rigOf({ promptTimeoutMs: 60_000 })
  quieten(rig.home)
  return rig.open('a', { command })
}

describe.each(['bash', 'zsh'])('%s', (shell) => {
  const it = needing(shell)

  it('says which line its history made of the one that was typed', async () => {
    const session = await open(shell)
    expect(await session.exec('echo one   two')).toEqual({ _tag: 'finished', exitCode: 0 })
    expect(await session.exec('(exit 3) || !!')).toEqual({
      _tag: 'altered',
      ran: '(exit 3) || echo one   two',
      exitCode: 0,
    })
    expect(await session.exec("echo 'not !! here'; (exit 4)")).toEqual({
      _tag: 'finished',
      exitCode: 4,
    })
  })

  it('says that a line ran nothing', async () => {
    const session = await open(shell)
    // To zsh it is a line that it refuses, as others that it cannot read, and has a code.
    const nothing = {
      _tag: 'lost',
      detail: 'the shell is back at its prompt and ran nothing of it',
    }
    const refused = { _tag: 'finished', exitCode: 1 }
    expect(await session.exec('!nosuchevent')).toEqual(shell === 'bash' ? nothing : refused)
    expect(await session.exec('(exit 5)')).toEqual({ _tag: 'finished', exitCode: 5 })
  })

  it('says so where a line is left in the editor to be looked at', async () => {
    const session = await open(shell)
    await session.exec(shell === 'bash' ? 'shopt -s histverify' : 'setopt hist_verify')
    await session.exec('echo one')
    expect(await session.exec('!!')).toMatchObject({ _tag: 'lost' })
    expect(await session.exec('(exit 6)')).toEqual({ _tag: 'finished', exitCode: 6 })
    expect(session.output().match(/^one/gm)).toHaveLength(1)
  })

  it('compares nothing of what it keeps out of its history, nor of several lines', async () => {
    const session = await open(shell)
    await session.exec(shell === 'bash' ? 'HISTCONTROL=ignorespace' : 'setopt hist_ignore_space')
    expect(await session.exec(' !!; (exit 2)')).toMatchObject({ exitCode: 2 })
    expect(await session.exec('for i in 1 2; do\necho $i\ndone; (exit 7)')).toEqual({
      _tag: 'finished',
      exitCode: 7,
    })
  })
})

needing('bash')('bash says which line an alias of its editor made', async () => {
  const session = await open('bash')
  await session.exec(`alias twice='echo again; echo'; bind '"\\C-m": "\\e\\C-e\\C-j"'`)
  expect(await session.exec('twice it')).toEqual({
    _tag: 'altered',
    ran: 'echo again; echo it',
    exitCode: 0,
  })
})

needing('fish')('fish says which line an abbreviation made', async () => {
  const session = await open('fish')
  await session.exec("abbr -a again 'echo again and'")
  expect(await session.exec('again again')).toEqual({
    _tag: 'altered',
    ran: 'echo again and again',
    exitCode: 0,
  })
  expect(await session.exec('echo one')).toEqual({ _tag: 'finished', exitCode: 0 })
})
