/** What zsh and fish hold is told, restored to the letter and compared item by item; nothing of it runs. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  defaultPolicy,
  type Receipt,
  type RecoverySnapshot,
  type ShellState,
  shellStateItems,
} from '@session-recovery/core'
import { hostileText, sampled } from '@session-recovery/testkit'
import { afterEach, describe, expect } from 'vitest'
import { type DialectRig, dialectRig, dialects, needing } from './dialect.js'
import { died } from './rig.js'

let rig: DialectRig
afterEach(() => rig.close())

// Another seed each time; a failure shows it, and SEED=… replays it.
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const replay = `replay: SEED=${seed} npx vitest run --config vitest.workspace.ts --project adapter-pty dialect-state`

const told = ({ shell }: RecoverySnapshot): ShellState => {
  if (shell === undefined) throw new Error('the shell did not tell its state')
  return shell
}

const broughtBack = async (
  id: string,
  snapshot: RecoverySnapshot,
  restoredExecutables: readonly string[] = [],
): Promise<Receipt> => {
  process.kill(rig.driver.session(id)?.pid() ?? 0, 'SIGKILL')
  await died(rig, id)
  const policy = { ...defaultPolicy, restoredExecutables: [...restoredExecutables] }
  expect(await rig.run(id, 'restore', { snapshot, policy })).toMatchObject({ _tag: 'done' })
  const verdict = await rig.verify(id, 'restore')
  if (verdict._tag !== 'alive') throw new Error(`unproved: ${verdict.detail}`)
  rig.observed.length = 0
  return verdict.receipt
}

const statesIn = (receipt: Receipt) =>
  Object.fromEntries(shellStateItems.map((item) => [item, receipt.items[item]]))

const rich = {
  zsh: String.raw`
plain='it'"'"'s $(touch PROOF) "quoted" \x\ \\ é 😀'
lines=$'one\ntwo\e[1m\xc3\x28'; lines=$'one\ntwo\e[1m'
typeset -i number=41; typeset -F real=1.5; typeset -u LOUD=abc; typeset -r FIXED='never again'
typeset -a list=(zero "one 1" '$(touch PROOF)' ''); typeset -aU once=(a b a); empty=()
typeset -A map=('a b]' 1 '$(touch PROOF)' '"' $'n\nl' 2)
greet() {
  local a="$1"
  echo "hello, \${a:-nobody}" | cat
  case $a in (x) cat <<END ;; esac
 not } a body
END
}
a-b.c() ( echo sub )
fromrc() { echo another }
alias ll='ls -l' 'q=echo "$(touch PROOF)"'; alias -g G='| grep'; alias -s txt=cat
HISTSIZE=777; WORDCHARS='*?'
setopt noclobber extended_glob; unsetopt beep
umask 0027; cd /usr; pushd -q /tmp; pushd -q /etc
trap '' USR1
`.replaceAll('\\${', '${'),
  fish: String.raw`
set -g plain 'it\'s $(touch PROOF) "quoted" \\x\\ \\\\ é 😀'
set -g lines one\ntwo\e\[1m; set -g list zero "one 1" '$(touch PROOF)' ''; set -g empty
function greet --description 'it greets' --argument-names who
    echo "hello, $who" | cat
    if test -n "$who"; end
end
function fromrc; echo another; end
alias ll 'ls -l'; abbr -a gco "git 'check' out \\ x"
umask 0027; cd /usr; pushd /tmp; pushd /etc
`,
} as const

const startUp = {
  zsh: 'fromrc() { echo rc }; same() { echo same }; rcvar=rc; changed=rc; autoload -Uz colors; alias fromrc_alias=x',
  fish: 'function fromrc; echo rc; end; function same; echo same; end; set -g rcvar rc; set -g changed rc',
} as const

describe.each(dialects)('$shell', (dialect) => {
  const { shell } = dialect
  const it = needing(shell)

  it('holds again what it held, each item compared, and nothing was executed', async () => {
    rig = dialectRig(dialect)
    rig.writeStartUp(startUp[shell])
    const proof = join(rig.home, 'proof')
    writeFileSync(join(rig.home, 'rich'), rich[shell].replaceAll('PROOF', proof))
    const session = await rig.openShell('a')
    await session.exec(shell === 'zsh' ? 'changed=mine' : 'set -g changed mine')
    expect(await session.exec('. ./rich')).toMatchObject({ exitCode: 0 })
    await session.exec(dialect.exitsWith(9))
    const before = await rig.snapshot('a')
    const held = told(before)
    expect(held.shell).toBe(shell)
    expect(Object.keys(held.functions)).toEqual(expect.arrayContaining(['greet', 'fromrc']))
    expect(Object.keys(held.functions)).not.toContain('same')
    expect(held.variables).not.toHaveProperty('rcvar')
    expect(held.variables.changed).toMatchObject({ value: 'mine' })
    expect(held.variables.plain).toMatchObject({
      value: `it's $(touch ${proof}) "quoted" \\x\\ \\\\ é 😀`,
    })
    expect(held.umask).toBe('0027')
    expect(held.directoryStack).toEqual(['/tmp', '/usr'])
    expect(held.omitted).toBeUndefined()
    const states = statesIn(await broughtBack('a', before))
    for (const item of shellStateItems) {
      expect(states[item], JSON.stringify(states)).toMatchObject({ status: 'restored' })
    }
    expect(held.lastExitCode).toBe(9)
    expect(told(await rig.snapshot('a'))).toEqual(held)
    await session.exec(`echo "the code is $${shell === 'zsh' ? '?' : 'status'}."`)
    expect(session.output()).toContain('the code is 9.')
    await session.exec('greet there')
    expect(session.output()).toContain('hello, there')
    await session.exec('fromrc')
    expect(session.output()).toContain('another')
    expect(existsSync(proof)).toBe(false)
    const again = statesIn(await broughtBack('a', await rig.snapshot('a')))
    for (const item of shellStateItems) expect(again[item]).toMatchObject({ status: 'restored' })
  })

  it('says why a code is lost that would have done something', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    await session.exec(dialect.exitsWith(9))
    const before = await rig.snapshot('a')
    const options = { ...told(before).options, errexit: true }
    const receipt = await broughtBack('a', { ...before, shell: { ...told(before), options } })
    // Fish has no such option: it is not set, nor is the code a matter of it.
    expect(receipt.items.lastExitCode).toEqual(
      shell === 'zsh'
        ? {
            status: 'lost',
            detail: 'it is 0, it was 9: a code would end a shell that ends at the first error',
          }
        : { status: 'restored', detail: 'it is 9' },
    )
    expect(await rig.driver.session('a')?.exec('true')).toMatchObject({ _tag: 'finished' })
  })

  it('brings nothing back that runs by itself, unless the policy names it', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    const proof = join(rig.home, 'proof')
    const lines =
      shell === 'zsh'
        ? ['precmd() { touch proof }', 'trap "touch proof" USR1', "PS1='$(touch proof)'"]
        : [
            'function mine --on-event fish_prompt; touch proof; end',
            'function fish_prompt; touch proof; end',
            "trap 'touch proof' USR1",
          ]
    for (const line of lines) await session.exec(line)
    const before = await rig.snapshot('a')
    const names = shell === 'zsh' ? ['precmd', 'USR1', 'PS1'] : ['mine', 'fish_prompt', 'USR1']
    const refused = statesIn(await broughtBack('a', before))
    rmSync(proof, { force: true })
    await session.exec('true')
    expect(existsSync(proof)).toBe(false)
    const details = JSON.stringify(refused)
    for (const name of names) expect(details).toContain(name)
    expect(details).toContain('not restored, as they run by themselves')
    const allowed =
      shell === 'zsh'
        ? ['function:precmd', 'trap:USR1', 'PS1']
        : ['trap:mine', 'function:fish_prompt', 'trap:__trap_handler_USR1']
    const states = statesIn(await broughtBack('a', before, allowed))
    for (const item of ['functions', 'traps'] as const) {
      expect(states[item], JSON.stringify(states)).toMatchObject({ status: 'restored' })
    }
    await session.exec('true')
    expect(existsSync(proof)).toBe(true)
  })

  it('is given values, aliases and functions to the letter, and executes none of them', async () => {
    rig = dialectRig(dialect)
    const session = await rig.openShell('a')
    await session.exec('true')
    const before = await rig.snapshot('a')
    const texts = sampled(hostileText, 300, seed)
    const proof = join(rig.home, 'proof')
    const state: ShellState = {
      ...told(before),
      variables: {
        ...Object.fromEntries(texts.map((value, i) => [`v${i}`, { attributes: '', value }])),
        all: {
          attributes: shell === 'zsh' ? 'a' : '',
          values: Object.fromEntries(texts.map((value, i) => [String(i + 1), value])),
        },
      },
      aliases: {
        ...told(before).aliases,
        ...Object.fromEntries(texts.map((value, i) => [`l${i}`, value])),
      },
    }
    const states = statesIn(await broughtBack('a', { ...before, shell: state }))
    expect(states.shellVariables?.status, `${replay} ${states.shellVariables?.detail}`).toBe(
      'restored',
    )
    expect(states.aliases?.status, `${replay} ${states.aliases?.detail}`).toBe('restored')
    // The text of a function that is none, or more than one, is not run by its definition; nor is a name.
    const named = <A>(value: A) => Object.fromEntries(texts.map((text) => [text, value]))
    await broughtBack('a', {
      ...before,
      shell: {
        ...told(before),
        functions: {
          ...Object.fromEntries([...functionsOf(texts), ...breakingOut(shell, proof)]),
          ...named('echo x'),
        },
        variables: named({ attributes: 'i', value: '1' }),
        aliases: named('x'),
        options: { ...told(before).options, ...named(true) },
        traps: named(''),
        directoryStack: [...texts],
        umask: texts.find((text) => text !== '') ?? '',
      },
    })
    expect(await session.exec(dialect.exitsWith(5))).toMatchObject({ exitCode: 5 })
    expect(session.output()).not.toMatch(/not found|Unknown command/)
    expect(existsSync(proof)).toBe(false)
  })
})

// Each would leave the block that it is put into, if it were put there unread.
const breakingOut = (shell: string, proof: string) =>
  [
    ...[
      'end; TOUCH; begin',
      'end; TOUCH; function q',
      '); TOUCH; echo (',
      "end; TOUCH; begin; '",
      '}\nTOUCH\n{',
    ],
    ...[
      '} always { TOUCH }',
      '}; TOUCH; () {',
      '\nend\nTOUCH\nbegin\n',
      '; end; TOUCH',
      ')\nTOUCH\n(',
    ],
    ...['(TOUCH)', '$(TOUCH)', '`TOUCH`', "'; TOUCH; '", '"; TOUCH; "', '# \\\nend; TOUCH; begin'],
  ].flatMap((text, i): readonly (readonly [string, string])[] => {
    const body = text.replaceAll('TOUCH', `touch ${proof}`)
    return shell === 'zsh'
      ? [[`b${i}`, body]]
      : [
          [`b${i}`, `function b${i}\n${body}\nend`],
          [`c${i}`, `function c${i} ${body}\nend`],
          [`d${i}`, `${body}\nfunction d${i}\nend`],
        ]
  })

const fish = dialects[1]
if (fish === undefined) throw new Error('there is no fish')
needing('fish')('a function of fish that nobody called is not loaded by our asking', async () => {
  rig = dialectRig(fish)
  const proof = join(rig.home, 'proof')
  mkdirSync(join(rig.home, '.config/fish/functions'), { recursive: true })
  const text = `touch ${proof}; function lazy; echo loaded; end\n`
  writeFileSync(join(rig.home, '.config/fish/functions/lazy.fish'), text)
  const session = await rig.openShell('a')
  await session.exec('set -g x 1')
  expect(told(await rig.snapshot('a')).functions).toEqual({})
  expect(existsSync(proof)).toBe(false)
  await session.exec('lazy')
  expect(existsSync(proof)).toBe(true)
  expect(told(await rig.snapshot('a')).functions).toEqual({})
  await session.exec('function lazy; echo mine; end')
  expect(Object.keys(told(await rig.snapshot('a')).functions)).toEqual(['lazy'])
})

const functionsOf = (texts: readonly string[]) =>
  texts.map((text, i) => [`f${i}`, `${i % 2 === 0 ? `function f${i}\n` : ''}${text}`] as const)
