/** What a shell holds is told, restored to the letter and compared item by item; nothing of it runs. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  defaultPolicy,
  type Receipt,
  type RecoverySnapshot,
  type RunRequest,
  type ShellState,
  type ShellStateItem,
  shellStateItems,
} from '@session-recovery/core'
import { afterEach, describe, expect, it } from 'vitest'
import { died, type Rig, rigOf } from './rig.js'

let rig: Rig
afterEach(() => rig.close())

const told = async (id: string): Promise<ShellState> => {
  const { shell } = await rig.snapshot(id)
  if (shell === undefined) throw new Error('the shell did not tell its state')
  return shell
}

const statesIn = (receipt: Receipt) =>
  Object.fromEntries(shellStateItems.map((item) => [item, receipt.items[item]]))

/** Kills the shell and restores `snapshot`. */
const broughtBack = async (
  id: string,
  snapshot: RecoverySnapshot,
  more: Partial<RunRequest> = {},
  strategy: 'restore' | 'restart' = 'restore',
): Promise<Receipt> => {
  process.kill(rig.driver.session(id)?.pid() ?? 0, 'SIGKILL')
  await died(rig, id)
  expect(await rig.run(id, strategy, { snapshot, ...more })).toMatchObject({ _tag: 'done' })
  const verdict = await rig.verify(id, strategy)
  if (verdict._tag !== 'alive') throw new Error(`unproved: ${verdict.detail}`)
  return verdict.receipt
}

const rich = String.raw`
plain='it'"'"'s $(touch PROOF) "quoted" \x\ \\ é 😀'
lines=$'one\ntwo\e[1m'
declare -i number=41
declare -r FIXED='never again'
declare -u LOUD=abc
declare -n alias_of=plain
declare -a list=(zero "one 1" '$(touch PROOF)' '')
list[7]=seven
declare -A map=(['a b]']=1 ['$(touch PROOF)']='"' [$'n\nl']=2) bare=()
empty=()
declare -rx KEPT=exported
greet() {
  local a="$1"
  echo "hello, \${a:-nobody}"
  case $a in x) cat <<END ;; esac
 not } a body
}
END
}
shopt -s extglob
ends() { [[ $1 == @(a|b) ]] || case $1 in !(c)) echo no ;; esac; }
a-b.c() ( echo sub )
function time { echo T; }
alias ll='ls -l' 'q=echo "$(touch PROOF)" '"'"'x'"'"
set -o noclobber
set +o histexpand
shopt -s globstar
shopt -u checkwinsize
umask 0027
cd /usr
pushd -n '/a  b' >/dev/null
pushd -n /tmp >/dev/null
trap '' USR1
`.replaceAll('\\${', '${')

/** Makes the shell hold all of it, as a person's commands would. */
const made = async (id: string, script = rich): Promise<string> => {
  const proof = join(rig.home, 'proof')
  writeFileSync(join(rig.home, 'rich'), script.replaceAll('PROOF', proof))
  const session = await rig.open(id)
  await session.exec('. ~/rich')
  await session.exec('(exit 7)')
  return proof
}

describe('the whole state of bash', () => {
  it('is told without a name of ours in it', async () => {
    rig = rigOf()
    await made('a')
    const state = await told('a')
    expect(state).toMatchObject({
      shell: 'bash',
      umask: '0027',
      directoryStack: ['/tmp', '/a  b'],
      traps: { SIGUSR1: '' },
      lastExitCode: 7,
      aliases: { ll: 'ls -l' },
      options: { noclobber: true, histexpand: false, globstar: true, checkwinsize: false },
      variables: {
        lines: { attributes: '', value: 'one\ntwo\x1b[1m' },
        number: { attributes: 'i', value: '41' },
        FIXED: { attributes: 'r', value: 'never again' },
        LOUD: { attributes: 'u', value: 'ABC' },
        alias_of: { attributes: 'n', value: 'plain' },
        empty: { attributes: 'a', values: {} },
        bare: { attributes: 'A', values: {} },
        KEPT: { attributes: 'rx' },
      },
    })
    expect(state.variables.list?.values).toMatchObject({ 0: 'zero', 3: '', 7: 'seven' })
    expect(Object.keys(state.functions).sort()).toEqual(['a-b.c', 'ends', 'greet', 'time'])
    expect(state.omitted).toBeUndefined()
    const ours = JSON.stringify(state).match(/__sr_\w+|6973/g)
    expect(ours).toBeNull()
  })

  it('comes back item by item', async () => {
    rig = rigOf()
    const proof = await made('a')
    const snapshot = await rig.snapshot('a')
    const receipt = await broughtBack('a', snapshot)
    expect(statesIn(receipt)).toMatchObject(
      Object.fromEntries(
        shellStateItems.map((item) => [item, { status: 'restored', detail: expect.any(String) }]),
      ),
    )
    const { timestamp: _, outputBuffer: __, interactiveState: ___, ...before } = snapshot
    const after = await rig.snapshot('a')
    expect(after).toMatchObject(before)
    expect(existsSync(proof)).toBe(false)
    const session = rig.driver.session('a')
    await session?.exec('echo "the code is $?."')
    expect(session?.output()).toContain('the code is 7.')
    await session?.exec('greet you; ends b; a-b.c; "time"; alias_of=through; echo "$plain $?"')
    expect(session?.output()).toContain('hello, you')
    expect(session?.output()).toContain('through 0')
    await session?.exec('FIXED=1')
    expect(session?.output()).toContain('FIXED: readonly variable')
  })
})

const itemsIn = async (change: (state: ShellState) => Partial<ShellState>, more = {}) => {
  const proof = await made('a')
  const snapshot = await rig.snapshot('a')
  if (snapshot.shell === undefined) throw new Error('the shell did not tell its state')
  const shell = { ...snapshot.shell, ...change(snapshot.shell) }
  const receipt = await broughtBack('a', { ...snapshot, shell }, more)
  expect(existsSync(proof)).toBe(false)
  return statesIn(receipt)
}

describe('a receipt', () => {
  it('says why a code is lost that would have done something', async () => {
    rig = rigOf()
    const items = await itemsIn(({ options }) => ({ options: { ...options, errexit: true } }))
    expect(items.lastExitCode).toEqual({
      status: 'lost',
      detail: 'it is 0, it was 7: a code would end a shell that ends at the first error',
    })
    const session = rig.driver.session('a')
    expect(await session?.exec('true')).toMatchObject({ _tag: 'finished' })
  })

  it('says the same of one that would have sprung a trap', async () => {
    rig = rigOf()
    const policy = { ...defaultPolicy, restoredExecutables: ['trap:SIGUSR1'] }
    const items = await itemsIn(() => ({ traps: { SIGUSR1: 'echo sprung' } }), { policy })
    expect(items.lastExitCode).toEqual({
      status: 'lost',
      detail: 'it is 0, it was 7: a code would spring a trap',
    })
  })

  const hindered: readonly (readonly [ShellStateItem, string, string, Partial<ShellState>])[] = [
    ['shellVariables', 'plain', 'readonly plain=other', {}],
    ['functions', 'greet', 'greet() { :; }; readonly -f greet', {}],
    ['aliases', 'b/d', '', { aliases: { 'b/d': 'x' } }],
    ['options', 'privileged', '', { options: { privileged: true } }],
    ['umask', 'umask', '', { umask: '9' }],
    ['directoryStack', '1', '', { directoryStack: ['not/whole'] }],
    ['traps', 'EXIT', '', { traps: { EXIT: 'touch ~/proof' } }],
  ]
  it.each(hindered)('says that %s are lost when %s is', async (item, name, startUp, change) => {
    rig = rigOf()
    // Only the new shell reads it.
    const items = await itemsIn(() => {
      writeFileSync(join(rig.home, '.bashrc'), startUp)
      return change
    })
    for (const [other, { status, detail }] of Object.entries(items)) {
      expect([other, status]).toEqual([other, other === item ? 'lost' : 'restored'])
      if (other === item) expect(detail).toMatch(new RegExp(`[:,] ${name}(, |; |$)`))
    }
  })

  it('says that a restart brings nothing of it back', async () => {
    rig = rigOf()
    await made('a')
    const receipt = await broughtBack('a', await rig.snapshot('a'), {}, 'restart')
    for (const { status, detail } of Object.values(statesIn(receipt))) {
      expect(status).toBe('lost')
      expect(detail).toBe('ended with the old process; a restart does not bring it back')
    }
  })

  it('names what start-up files made besides', async () => {
    rig = rigOf()
    const items = await itemsIn(() => {
      const startUp = 'NEW=1; newer() { :; }; alias newest=x; greet() { :; }; alias ll=other'
      writeFileSync(join(rig.home, '.bashrc'), startUp)
      return {}
    })
    expect(items.shellVariables).toMatchObject({ status: 'restored' })
    expect(items.shellVariables?.detail).toContain('1 more by its start-up files: NEW')
    expect(items.functions).toEqual({
      status: 'restored',
      detail: '4 functions compared equal; 1 more by its start-up files: newer',
    })
    expect(items.aliases?.detail).toBe(
      '2 aliases compared equal; 1 more by its start-up files: newest',
    )
  })

  it('says that nothing is known of what was never told', async () => {
    rig = rigOf()
    await rig.open('a')
    const { shell: _, ...snapshot } = await rig.snapshot('a')
    const items = statesIn(await broughtBack('a', snapshot))
    expect(items.functions).toMatchObject({ status: 'unknown' })
  })

  it('names what was too large to be told', async () => {
    rig = rigOf()
    await made('a', 'huge=$(printf %0300000d 0); many=($(seq 5000)); small=1')
    const snapshot = await rig.snapshot('a')
    expect(snapshot.shell?.omitted).toEqual({ shellVariables: ['huge', 'many'] })
    const items = statesIn(await broughtBack('a', snapshot))
    expect(items.shellVariables).toMatchObject({ status: 'lost' })
    expect(items.shellVariables?.detail).toContain('2 not captured')
  })

  it('is whole where functions are too many to be told', async () => {
    rig = rigOf()
    await made('a', 'for i in {1..3000}; do eval "f$i() { echo $(printf %090d $i); }"; done; x=1')
    const { shell } = await rig.snapshot('a')
    expect(shell).toMatchObject({
      variables: { x: { value: '1' } },
      functions: {},
      umask: '0022',
      omitted: { functions: ['(all)'] },
    })
  })
})

describe('what runs by itself', () => {
  const script = "trap 'touch PROOF' EXIT; trap : USR2; PS1='mine> '; PROMPT_COMMAND+=(: true)"
  const withScript = async (restoredExecutables: readonly string[]) => {
    rig = rigOf()
    const proof = await made('a', script)
    const snapshot = await rig.snapshot('a')
    const policy = { ...defaultPolicy, restoredExecutables: [...restoredExecutables] }
    const receipt = await broughtBack('a', snapshot, { policy })
    expect(existsSync(proof)).toBe(false)
    return { snapshot, receipt, after: await told('a') }
  }

  it('is not restored, and named', async () => {
    const { receipt, after } = await withScript([])
    expect(receipt.items.traps).toEqual({
      status: 'lost',
      detail: '0 traps compared equal; 2 not restored, as they run by themselves: EXIT, SIGUSR2',
    })
    expect(receipt.items.shellVariables.detail).toContain(
      '2 not restored, as they run by themselves: PROMPT_COMMAND, PS1',
    )
    expect(after.traps).toEqual({})
    expect(after.variables).not.toHaveProperty('PROMPT_COMMAND')
  })

  it('is restored where the policy names it, and only that', async () => {
    const { snapshot, receipt, after } = await withScript(['PS1', 'PROMPT_COMMAND', 'trap:EXIT'])
    expect(receipt.items.shellVariables.status).toBe('restored')
    expect(receipt.items.traps.detail).toContain('as they run by themselves: SIGUSR2')
    expect(after.traps).toEqual({ EXIT: snapshot.shell?.traps.EXIT })
    expect(after.variables.PROMPT_COMMAND?.values).toEqual({ 0: ':', 1: 'true' })
    expect(after.variables.PS1?.value).toBe('mine> ')
  })
})

describe('what somebody wrote into a snapshot', () => {
  const evil: readonly (readonly [string, Partial<ShellState>])[] = [
    [
      'a function that goes on behind its end',
      { functions: { f: 'f () \n{ \n    :\n}\nRUN\n{\n    :\n}' } },
    ],
    [
      'a function that breaks out of braces',
      { functions: { f: 'f () \n{ \n    :; }; RUN; { :\n}' } },
    ],
    ['one that breaks out of parentheses', { functions: { f: 'f () \n{ \n    : ); RUN; ( :\n}' } }],
    ['one behind a comment', { functions: { f: 'f () \n{ \n: #\n}; RUN; { : #\n}' } }],
    [
      'one behind an open quote',
      { functions: { f: "f () \n{ \n: '\n}\nRUN\n: '\n}", g: "g () \n{ \n'; }; RUN; { : '\n}" } },
    ],
    [
      'one behind a here-document',
      { functions: { f: 'f () \n{ \ncat <<E\n}\nE\n}\nRUN\n{ :\n}' } },
    ],
    [
      'a name of a function that is none',
      { functions: { 'f () { :; }; RUN; g': 'x () \n{ \n    :\n}' } },
    ],
    [
      'a function in the place of ours',
      {
        functions: {
          builtin: 'builtin () \n{ \n    RUN\n}',
          __sr_mark: '__sr_mark () \n{ \n    RUN\n}',
        },
      },
    ],
    ['a number that is none', { variables: { n: { attributes: 'i', value: 'a[$(RUN)]' } } }],
    [
      'a number made by a start-up file',
      { variables: { counted: { attributes: '', value: 'a[$(RUN)]' } } },
    ],
    ['a reference to no name', { variables: { r: { attributes: 'n', value: 'a[$(RUN)]' } } }],
    [
      'a name of a variable that is none',
      { variables: { 'a[$(RUN)]': { attributes: '', value: '1' } } },
    ],
    ['letters that are none', { variables: { a: { attributes: 'x; RUN;', value: '1' } } }],
    ['an index that is none', { variables: { a: { attributes: 'a', values: { '$(RUN)': '1' } } } }],
    ['a name of an alias that is none', { aliases: { 'x; RUN': 'x', '$(RUN)': 'x' } }],
    ['a umask that is none', { umask: '0; RUN' }],
    ['a name of an option that is none', { options: { '; RUN; x': true } }],
    ['an event that is none', { traps: { 'EXIT; RUN': '' } }],
    ['a directory that is none', { directoryStack: ['$(RUN)', '+1; RUN', '/$(RUN)'] }],
  ]
  it.each(evil)('is not run: %s', async (_what, change) => {
    rig = rigOf()
    const proof = join(rig.home, 'proof')
    const run = `touch ${proof}`
    writeFileSync(join(rig.home, '.bashrc'), 'declare -i counted=3; shopt -u interactive_comments')
    await rig.open('a')
    await rig.driver.session('a')?.exec('true')
    const snapshot = await rig.snapshot('a')
    const state = JSON.parse(JSON.stringify(change).replaceAll('RUN', run))
    const shell = { ...(snapshot.shell as ShellState), ...state }
    await broughtBack('a', { ...snapshot, shell })
    await rig.driver.session('a')?.exec('true')
    expect(existsSync(proof)).toBe(false)
    // Lines that are typed still end as they did.
    expect(await rig.driver.session('a')?.exec('false')).toEqual({ _tag: 'finished', exitCode: 1 })
  })
})

describe('a user who calls something else by the names of builtins', () => {
  it('is understood all the same, and nothing of it is called', async () => {
    rig = rigOf()
    const names =
      'declare local printf trap shopt set umask unset test return history alias echo eval'
    const script = `for n in ${names}; do
      eval "function $n { touch PROOF; }"; done; builtin alias local='touch PROOF' printf='touch PROOF'; mine=1`
    const proof = await made('a', script)
    const snapshot = await rig.snapshot('a')
    expect(snapshot.shell?.variables.mine?.value).toBe('1')
    expect(snapshot.shell?.functions).toHaveProperty('declare')
    const receipt = await broughtBack('a', snapshot)
    expect(receipt.items.functions.status).toBe('restored')
    expect(existsSync(proof)).toBe(false)
  })
})
