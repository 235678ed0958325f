/** What a shell holds is told, restored to the letter and compared item by item; nothing of it runs. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Receipt,
  type RecoverySnapshot,
  type RunRequest,
  type ShellState,
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
    await session?.exec('greet you; ends b; a-b.c; "time"; alias_of=through; echo "$plain $?"')
    expect(session?.output()).toContain('hello, you')
    expect(session?.output()).toContain('through 0')
    await session?.exec('FIXED=1')
    expect(session?.output()).toContain('FIXED: readonly variable')
  })
})
