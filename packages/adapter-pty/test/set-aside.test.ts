/** A line that stands half typed at the prompt is set aside: to the letter, named, kept and never run. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { redact } from '@session-recovery/core'
import { afterEach, describe, expect } from 'vitest'
import { type DialectRig, dialectRig, dialects, needing } from './dialect.js'
import { died, eventually, foreground, traits } from './rig.js'

let rig: DialectRig
afterEach(() => rig.close())

const [zsh, fish] = dialects
if (zsh === undefined || fish === undefined) throw new Error('a shell is missing')

const subjects = [
  // The rest of what a dialect says is not asked for here.
  {
    ...zsh,
    shell: 'bash',
    startUpFile: '.bashrc',
    newline: '\x16\n',
    vi: `set -o vi; bind -m vi-insert '"\\C-x": vi-movement-mode'`,
  },
  { ...zsh, newline: '\x16\n', vi: `bindkey -v; bindkey -M viins '^X' vi-cmd-mode` },
  {
    ...fish,
    newline: '\x1b\r',
    vi: 'fish_vi_key_bindings; bind -M insert -m default \\cx repaint-mode',
  },
] as const

// As late as can be, so that the integration does not notice it before somebody asks.
const unbound = {
  bash: String.raw`PS1='$(bind -r "\e[6974~")$ '; PROMPT_COMMAND='bind -r "\e[6974~"'`,
  zsh: String.raw`zle-line-init() { bindkey -r '\e[6974~' }; zle -N zle-line-init`,
  fish: String.raw`function fish_prompt; bind -e \e\[6974~; echo '$ '; end`,
}

const halves = {
  'a command': 'rm -rf "$HOME/nothing" ',
  'an open quote': `echo "it's`,
  'a substitution': 'echo $(touch canary) `touch canary` (touch canary)',
  'what ends a command': 'touch canary; touch canary && touch canary | touch canary #',
  'what is no ASCII': 'echo äöü 日本 \u{1f600} %41 \\x41 !! $?',
  'a long line': `echo ${'long '.repeat(200)}`,
}

describe.each(subjects)('$shell', (subject) => {
  const { shell, newline, vi } = subject
  const it = needing(shell)

  const begun = async (startUp = '') => {
    rig = dialectRig(subject as never)
    rig.writeStartUp(startUp)
    const session = await rig.openShell('a')
    await session.exec('true')
    return session
  }

  const text = (name: string): string =>
    existsSync(join(rig.home, name)) ? readFileSync(join(rig.home, name), 'utf8') : ''

  it.each(Object.entries(halves))('sets aside %s, which never runs', async (_, half) => {
    const session = await begun()
    session.write(half)
    const outcome = await rig.run('a', 'prompt-reset')
    expect(outcome).toEqual({
      _tag: 'done',
      detail: `the integration is armed and its marks flow; set aside, not run: ${half}`,
    })
    expect(session.setAside()).toEqual([half])
    const verdict = await rig.verify('a', 'prompt-reset')
    if (verdict._tag !== 'alive') throw new Error(verdict.detail)
    const { jobs } = verdict.receipt.items
    expect(jobs).toMatchObject({ status: 'restored', setAside: [half] })
    expect(jobs.detail).toContain(`set aside, not run: ${half}`)
    expect(await session.exec('echo once >> log')).toEqual({ _tag: 'finished', exitCode: 0 })
    expect(text('log')).toBe('once\n')
    expect(existsSync(join(rig.home, 'canary'))).toBe(false)
    const { update } = await rig.capture('a')
    expect(update.interactiveState?.setAside).toEqual([half])
    expect(update.commandHistory).toEqual(['true', 'echo once >> log'])
    expect(session.settle(half)).toBe(true)
    expect((await rig.capture('a')).update.interactiveState).not.toHaveProperty('setAside')
  })

  it('sets aside a line of several lines', async () => {
    const session = await begun()
    session.write(`echo a >> log${newline}echo b >> log${newline}${newline}`)
    expect(await session.exec('echo once >> log')).toEqual({ _tag: 'finished', exitCode: 0 })
    expect(text('log')).toBe('once\n')
    expect(session.setAside()).toEqual(['echo a >> log\necho b >> log\n\n'])
  })

  it('is emptied before exec types, and says when there was nothing', async () => {
    const session = await begun()
    for (const half of ['echo half', 'touch canary; ', '']) {
      session.write(half)
      expect(await session.exec('echo once >> log')).toEqual({ _tag: 'finished', exitCode: 0 })
    }
    expect(text('log')).toBe('once\n'.repeat(3))
    expect(session.setAside()).toEqual(['echo half', 'touch canary; '])
    expect(await rig.run('a', 'prompt-reset')).toEqual({
      _tag: 'done',
      detail: 'the integration is armed and its marks flow',
    })
  })

  it('is emptied before command-retry types', async () => {
    const session = await begun()
    const line = 'echo run >> log; test -e done || cat'
    session.write(`${line}\r`)
    await foreground(rig, 'a', 'waiting-for-line')
    process.kill(session.pid() ?? 0, 'SIGKILL')
    await died(rig, 'a')
    expect(await rig.run('a', 'restore')).toMatchObject({ _tag: 'done' })
    writeFileSync(join(rig.home, 'done'), '')
    session.write('echo half ')
    const again = { traits: { ...traits, idempotentCommands: [line] } }
    expect(await rig.run('a', 'command-retry', again)).toMatchObject({ _tag: 'done' })
    expect(text('log')).toBe('run\nrun\n')
    expect(session.setAside()).toEqual(['echo half '])
  })

  it('is emptied where the editor takes commands', async () => {
    const session = await begun(vi)
    for (let i = 0; i < 2; i++) {
      session.write('echo half\x18')
      expect(await session.exec('echo once >> log')).toEqual({ _tag: 'finished', exitCode: 0 })
    }
    expect(text('log')).toBe('once\nonce\n')
    expect(session.setAside()).toEqual(['echo half', 'echo half'])
  })

  it('is emptied while its history is searched, too', async () => {
    const session = await begun()
    await session.exec('echo sought >> log')
    // The editor has shown what was found, or that it searches.
    session.write('\x12sought')
    const shown = /i-search|log[\s\S]*sought[\s\S]*sought/
    await eventually('the search', () => shown.test(session.output()) || undefined)
    expect(await session.exec('echo once >> log')).toEqual({ _tag: 'finished', exitCode: 0 })
    expect(text('log')).toBe('sought\nonce\n')
  })

  it('leaves a sane screen', async () => {
    const session = await begun()
    session.write('echo half')
    await eventually('the half line', () => session.output().includes('half') || undefined)
    await session.exec('echo whole')
    const lines = (await session.screen()).split('\r\n')
    expect(lines.filter((line) => /whole/.test(line))).toHaveLength(2)
    expect(lines.filter((line) => /half/.test(line))).toHaveLength(0)
  })

  it('types nothing where the key is not bound, and is bound again', async () => {
    rig = dialectRig(subject as never)
    rig.writeStartUp(unbound[shell])
    const session = await rig.openShell('a')
    expect(await session.exec('echo once >> log')).toMatchObject({ _tag: 'lost' })
    expect(text('log')).toBe('')
    expect(await rig.run('a', 'prompt-reset')).toMatchObject({ _tag: 'done' })
    expect(await session.exec('echo once >> log')).toEqual({ _tag: 'finished', exitCode: 0 })
    expect(text('log')).toBe('once\n')
  })

  it('is stored without the secrets in it', async () => {
    const session = await begun()
    await session.exec(
      shell === 'fish' ? 'set -gx API_TOKEN hunter2hunter2' : 'export API_TOKEN=hunter2hunter2',
    )
    session.write('curl -H hunter2hunter2')
    await rig.run('a', 'prompt-reset')
    const { snapshot } = redact(await rig.snapshot('a'), [])
    expect(snapshot.interactiveState?.setAside).toEqual(['curl -H [secret]'])
    expect(JSON.stringify(snapshot)).not.toContain('curl -H hunter2')
  })
})

describe('fish', () => {
  needing('fish')('leaves no refused line in the way, and names it to nobody', async () => {
    rig = dialectRig(fish)
    const session = await rig.openShell('a')
    expect(await session.exec('echo )')).toMatchObject({ _tag: 'finished' })
    expect(await session.exec('echo once >> log')).toEqual({ _tag: 'finished', exitCode: 0 })
    expect(readFileSync(join(rig.home, 'log'), 'utf8')).toBe('once\n')
    expect(session.setAside()).toEqual([])
  })
})
