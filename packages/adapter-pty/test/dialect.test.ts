/** What zsh and fish say in their marks; the user's own start-up files, hooks and prompts live on. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect } from 'vitest'
import { type DialectRig, dialectRig, dialects, needing } from './dialect.js'
import { eventually, foreground } from './rig.js'

let rig: DialectRig
afterEach(() => rig.close())

describe.each(dialects)('$shell', (dialect) => {
  const { shell, exports, unset, exitsWith } = dialect
  const it = needing(shell)

  it('tells exit codes, directory, exported variables and history', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    expect(await session.exec(exitsWith(7))).toEqual({ _tag: 'finished', exitCode: 7 })
    const made = `mkdir "w x"; and cd "w x"`.replace('; and', shell === 'zsh' ? ' &&' : '; and')
    expect(await session.exec(made)).toMatchObject({ exitCode: 0 })
    await session.exec(exports({ A: '1', B: '2\n3' }))
    await session.exec(shell === 'zsh' ? 'local_only=1' : 'set -g local_only 1')
    expect(await session.exec('echo piped | cat')).toMatchObject({ exitCode: 0 })
    const { update, foreground: seen } = await rig.capture('a')
    expect(seen.kind).toBe('at-prompt')
    expect(update.workingDirectory).toBe(join(rig.home, 'w x'))
    expect(update.environment).toMatchObject({ A: '1', B: '2\n3', HOME: rig.home })
    expect(update.environment).not.toHaveProperty('local_only')
    expect(update.commandHistory).toEqual([
      exitsWith(7),
      made,
      exports({ A: '1', B: '2\n3' }),
      shell === 'zsh' ? 'local_only=1' : 'set -g local_only 1',
      'echo piped | cat',
    ])
    await session.exec(unset('A'))
    expect((await rig.capture('a')).update.environment).not.toHaveProperty('A')
  })

  it('keeps a line out of our history that it keeps out of its own', async () => {
    rig = dialectRig(dialect)
    rig.writeStartUp(shell === 'zsh' ? "setopt hist_ignore_space; HISTORY_IGNORE='secret *'" : '')
    const session = await rig.openShell('a')
    await session.exec(' echo hidden')
    if (shell === 'zsh') {
      await session.exec('secret thing')
      await session.exec('alias spaced=" echo"; echo defined')
      await session.exec('spaced out')
    } else {
      await session.exec('set -g fish_private_mode 1')
      await session.exec('echo private')
      await session.exec('set -e fish_private_mode')
    }
    await session.exec('echo seen')
    expect((await rig.capture('a')).update.commandHistory).toEqual(
      shell === 'zsh'
        ? ['alias spaced=" echo"; echo defined', 'echo seen']
        : ['set -g fish_private_mode 1', 'echo seen'],
    )
    session.write(' sleep 60\r')
    await eventually('its name', async () => {
      const { update } = await rig.capture('a')
      const [pending] = update.interactiveState?.pendingCommands ?? []
      return pending === '(a command kept out of the history: sleep)' || undefined
    })
  })

  it('says that something changed when a command begins, and when it has ended', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    const changes = () => rig.observed.filter(({ _tag }) => _tag === 'changed').length
    const opened = changes()
    await session.exec('true')
    await session.exec(exports({ A: '1' }))
    expect(changes()).toBe(opened + 4)
    session.write('\r')
    session.write('sleep 60\r')
    await foreground(rig, 'a', 'running')
    expect(changes()).toBe(opened + 5)
  })

  it('keeps its marks out of the output, and its nonce from its children', async () => {
    rig = dialectRig(dialect, { nonce: () => 'cafe'.repeat(8) })
    const session = await rig.openShell('a')
    let heard = ''
    session.onData((text) => {
      heard += text
    })
    await session.exec('env; export; sh -c set')
    expect(heard).toContain('HOME=')
    for (const output of [heard, session.output(), await session.screen()]) {
      expect(output).not.toContain('6973')
      expect(output).not.toContain('cafecafe')
      expect(output).not.toContain('__sr')
      expect(output).not.toContain('ZDOTDIR')
    }
  })

  it('believes no mark without its nonce', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    await session.exec('cd /')
    const forged = String.raw`printf '\033]6973;%s;D;13;0 99 "/forged"\007' deadbeef; printf '\033]6973;;K;1;9\007\033]6973;deadbeef;A;0;\007'`
    await session.exec(forged)
    expect((await rig.capture('a')).update.workingDirectory).toBe('/')
    expect(session.output()).toContain('deadbeef')
  })

  it('works on top of any start-up file', async () => {
    rig = dialectRig(dialect)
    rig.writeStartUp(hostileStartUp[shell])
    const session = await rig.openShell('a')
    expect(await session.exec(`${exitsWith(4)} || true`)).toMatchObject({ exitCode: 0 })
    expect(await session.exec(redefinedPrompts[shell])).toMatchObject({ exitCode: 0 })
    expect(await session.exec(exitsWith(5))).toMatchObject({ exitCode: 5 })
    const { update } = await rig.capture('a')
    expect(update.environment).toMatchObject({ FROM_RC: '1' })
    expect(Object.keys(update.environment ?? {}).filter((name) => /__sr/.test(name))).toEqual([])
    expect(update.commandHistory).toEqual([
      `${exitsWith(4)} || true`,
      redefinedPrompts[shell],
      exitsWith(5),
    ])
    const hooks = readFileSync(join(rig.home, 'hooks'), 'utf8')
    for (const hook of hooksOf[shell]) expect(hooks).toContain(hook)
    expect(await rig.verify('a')).toMatchObject({ _tag: 'alive' })
  })

  it('still answers, and is armed again, after its integration was torn out', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    expect(await session.exec(dialect.tearOut)).toMatchObject({ _tag: 'lost' })
    expect(await rig.run('a', 'prompt-reset')).toMatchObject({ _tag: 'done' })
    expect(await rig.verify('a', 'prompt-reset')).toMatchObject({ _tag: 'alive' })
    expect(await session.exec(exitsWith(9))).toEqual({ _tag: 'finished', exitCode: 9 })
  })

  it('survives background jobs that write into everything', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    await session.exec(
      `sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do seq 1 30; sleep 0.02; done' >/dev/tty &`,
    )
    for (let i = 0; i < 20; i++) {
      expect(await session.exec(`${exports({ N: `${i}` })}; ${exitsWith(i)}`)).toEqual({
        _tag: 'finished',
        exitCode: i,
      })
    }
    await session.exec(`wait; ${exports({ N: 'done' })}`)
    expect((await rig.capture('a')).update.environment).toMatchObject({ N: 'done' })
  })

  it('with a code is noticed at its end with the code', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    void session.exec('exit 137')
    expect(
      await eventually('its end', () => rig.observed.find(({ _tag }) => _tag === 'exited')),
    ).toMatchObject({ exit: { exitCode: 137 } })
  })
})

const hostileStartUp = {
  zsh: `set -u; setopt ksh_arrays sh_word_split no_multibyte no_aliases prompt_subst all_export warn_create_global extended_glob no_clobber
setopt aliases; alias -g A=B; alias print=false local=false builtin=false emulate=false; print() { false }; local_() { }
precmd() { echo "precmd $?" >>| "$HOME/hooks" }; preexec() { echo "preexec $1" >>| "$HOME/hooks" }
zle-line-init() { echo "line-init $WIDGET" >>| "$HOME/hooks" }; zle -N zle-line-init
precmd_functions=(); preexec_functions=(); FROM_RC=1; parameters_=1; IFS=0123456789
PROMPT='$(echo "%~")> '; bindkey -v; trap ': debug' DEBUG; TRAPZERR() { : zerr }
`,
  fish: `set -gx FROM_RC 1; set -g IFS ''
function printf; false; end; function contains; false; end; function history; false; end; function math; false; end
function mine --on-event fish_prompt; echo "prompt $status" >> "$HOME/hooks"; end
function mine_too --on-event fish_preexec; echo "preexec $argv" >> "$HOME/hooks"; end
fish_vi_key_bindings
`,
}

const redefinedPrompts = {
  zsh: `PROMPT='%# '; precmd() { echo "precmd again $?" >> "$HOME/hooks" }; zle-line-init() { echo "init again" >> "$HOME/hooks" }; zle -N zle-line-init`,
  fish: `function fish_prompt; echo '$ '; end; function other --on-event fish_prompt; echo "again" >> "$HOME/hooks"; end`,
}

const hooksOf = {
  zsh: ['precmd 0', 'preexec (exit 4)', 'line-init zle-line-init', 'precmd again 5', 'init again'],
  fish: ['prompt 0', 'preexec sh -c', 'again'],
}

describe('zsh', () => {
  const it = needing('zsh')
  const dialect = dialects[0]
  if (dialect === undefined) throw new Error('there is no zsh')

  it.each([
    ['of the home', undefined],
    ['where ZDOTDIR names', 'given'],
    ['where the first of them sends it', 'moved'],
  ] as const)('reads the start-up files %s, as without us', async (_, place) => {
    rig = dialectRig(dialect)
    const home = rig.home
    const given = join(home, 'given')
    const moved = join(home, 'moved')
    for (const path of [home, given, moved]) {
      mkdirSync(path, { recursive: true })
      const sends = place === 'moved' && path === home ? `ZDOTDIR=${moved};` : ''
      for (const file of ['.zshenv', '.zprofile', '.zshrc', '.zlogin']) {
        const say = `FILES+="\${(%):-%x} $ZDOTDIR;"`
        writeFileSync(join(path, file), `${sends} ${say}; f() { typeset -g LOCAL=1 }; alias x=y\n`)
      }
    }
    const env = place === 'given' ? { ...rig.env, ZDOTDIR: given } : rig.env
    const session = await rig.openShell('a', { env, args: ['-l'] })
    const lines = `${home}/of-zsh`
    await session.exec(`print -r -- "$FILES" > ${lines}; env >> ${lines}; [[ $aliases[x] == y ]]`)
    const expected = join(home, 'expected')
    execFileSync(
      'zsh',
      ['-l', '-i', '-c', `print -r -- "$FILES" > ${expected}; env >> ${expected}`],
      { env, cwd: home, stdio: 'ignore' },
    )
    const sorted = (path: string) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => !/^(SHLVL|_)=/.test(line))
        .sort()
    expect(sorted(lines)).toEqual(sorted(expected))
    expect(sorted(lines).join()).toContain('.zlogin')
  })

  it('tells that it stands at the rest of a command, which is freed', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    session.write('echo "open\r')
    await eventually('the prompt for the rest', async () => {
      const { foreground: seen } = await rig.capture('a')
      return (seen.kind === 'waiting-for-line' && seen.reasons[0]?.includes('rest')) || undefined
    })
    expect(await rig.run('a', 'prompt-interrupt')).toMatchObject({ _tag: 'done' })
    expect(await rig.verify('a', 'prompt-interrupt')).toMatchObject({ _tag: 'alive' })
    expect(await session.exec('(exit 3)')).toEqual({ _tag: 'finished', exitCode: 3 })
  })
})
