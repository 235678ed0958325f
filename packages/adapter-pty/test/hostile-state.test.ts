/** Whatever values, keys, names and bodies a shell holds: the new one holds the same, and ran none. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RecoverySnapshot, ShellState, ShellVariable } from '@session-recovery/core'
import { holdsAsync, hostileText } from '@session-recovery/testkit'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { bash, died, type Rig, rigOf } from './rig.js'

let rig: Rig
afterEach(() => rig.close())

// `§` is a dollar sign.
const bodies = [
  'echo "$(kill -9 $$)"',
  'case $1 in a | b) echo one ;; *) echo "}" ;; esac',
  "cat <<'END'\n}\nkill -9 $$\nEND",
  'cat <<-END | while read -r line; do\n\t$(kill -9 $$)\n\tEND\n: "§{line%%}*}"; done',
  'if (( $# > 1 )); then { :; } && ( : ) || ! :; fi',
  "printf '%s\\n' 'it'\\''s }' $'\\e[1m}' \"a\nb\n}\"",
  '[[ $1 == @(a|b)* && ! $2 =~ ^[{}]+$ ]] || for ((i = 0; i < 3; i++)); do echo $i; done',
  'inner() { kill -9 $$; }; select x in 1 2; do break; done < /dev/null',
  'echo §{#1} §{1//\\}/x} `echo "}"` # }',
  'local -a l=(a "b )" [5]="}"); echo "§{l[@]}" >&2 2> /dev/null',
  'until false; do break; done; time ls | cat; echo {a,b}{1..3} ~ * ?',
  'case $x in !(c)) echo "é 😀" ;; esac',
].map((body) => body.replaceAll('§', '$'))
// As bash itself writes them.
const printed = bodies.map((body) => {
  const script = `shopt -s extglob\neval 'name () {\n'"$1"$'\n}'; declare -f name`
  return execFileSync(bash, ['-c', script, 'bash', body], { encoding: 'utf8' }).trimEnd()
})

const identifier = fc
  .string({ unit: fc.constantFrom(...'abcxyzABC_019'), minLength: 1, maxLength: 6 })
  .map((tail) => `v_${tail}`)
const functionName = fc
  .string({ unit: fc.constantFrom(...'abc-.:+@%!^/,é_9'), maxLength: 5 })
  .map((tail) => `f${tail}`)
const aliasName = fc
  .string({ unit: fc.constantFrom(...'abc-.:+@%!]é_9{}'), maxLength: 5 })
  .map((tail) => `l${tail}`)
const scalar = hostileText.map((value): ShellVariable => ({ attributes: '', value }))
const indexed = fc
  .dictionary(fc.nat(5_000).map(String), hostileText, { maxKeys: 4 })
  .map((values): ShellVariable => ({ attributes: 'a', values }))
const associative = fc
  .dictionary(
    hostileText.filter((key) => key !== ''),
    hostileText,
    { maxKeys: 4 },
  )
  .map((values): ShellVariable => ({ attributes: 'A', values }))
const numeric = fc
  .integer()
  .map((value): ShellVariable => ({ attributes: 'i', value: String(value) }))
const state = fc.record({
  variables: fc.dictionary(identifier, fc.oneof(scalar, indexed, associative, numeric), {
    maxKeys: 8,
  }),
  functions: fc
    .dictionary(functionName, fc.constantFrom(...printed), { maxKeys: 4 })
    .map((all) =>
      Object.fromEntries(
        Object.entries(all).map(([name, text]) => [name, text.replace(/^name/, name)]),
      ),
    ),
  aliases: fc.dictionary(aliasName, hostileText, { maxKeys: 4 }),
  directoryStack: fc.array(
    hostileText.map((path) => `/${path}`),
    { maxLength: 3 },
  ),
})

describe('generated states', () => {
  it('are restored to the letter, and nothing of them runs', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    await session.exec('true')
    const first = await rig.snapshot('a')
    const usual = first.shell as ShellState
    await holdsAsync(
      fc.asyncProperty(state, async (generated) => {
        rig.observed.length = 0
        process.kill(session.pid() ?? 0, 'SIGKILL')
        await died(rig, 'a')
        const shell = {
          ...usual,
          ...generated,
          variables: { ...usual.variables, ...generated.variables },
        }
        const snapshot: RecoverySnapshot = { ...first, outputBuffer: [], shell }
        expect(await rig.run('a', 'restore', { snapshot })).toMatchObject({ _tag: 'done' })
        const now = (await rig.snapshot('a')).shell
        expect(now).toEqual(shell)
        expect(rig.observed.filter(({ _tag }) => _tag === 'exited')).toHaveLength(1)
      }),
      200,
    )
  }, 240_000)

  it('leave out a function that bash does not print as it was: it would do something else', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    await session.exec('other() { coproc cat; }; mine() { :; }')
    const snapshot = await rig.snapshot('a')
    expect(snapshot.shell?.functions.other).toContain('coproc COPROC cat')
    process.kill(session.pid() ?? 0, 'SIGKILL')
    await died(rig, 'a')
    await rig.run('a', 'restore', { snapshot })
    const verdict = await rig.verify('a', 'restore')
    expect(verdict).toMatchObject({
      receipt: {
        items: {
          functions: {
            status: 'lost',
            detail: '1 function compared equal; 1 other than before: other',
          },
        },
      },
    })
    expect(Object.keys((await rig.snapshot('a')).shell?.functions ?? {})).toEqual(['mine'])
  })

  it('leave out functions that nobody can tell apart', async () => {
    rig = rigOf()
    const session = await rig.open('a')
    writeFileSync(
      join(rig.home, 'made'),
      "a() { cat <<'END'\nb () \n{ \n    evil\n}\nEND\n}; b() { :; }; c() { :; }\n",
    )
    await session.exec('. ~/made')
    const { shell } = await rig.snapshot('a')
    expect(Object.keys(shell?.functions ?? {}).sort()).toEqual(['c'])
    expect(shell?.omitted).toEqual({ functions: ['a', 'b'] })
  })
})
