/** What zsh and fish tell of their state is read to the letter, and what is none is refused. */
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readToldState } from '../src/told-state.js'

const payload = [
  `v plain - $'a b'`,
  `v count -ir ^5`,
  `a list -a -2 $'x' ^`,
  `a none - -0`,
  `h map -A -1 ^key%20 $'value'`,
  `f greet ^echo%0A`,
  `l ll $'ls -l'`,
  'p noclobber on p beep off',
  "u 0027 d ^/usr d $'/a b'",
  `t USR1 ^`,
  'v bad - ^%FF a worse -a -1 ^%C3 l ^x ^%FF o functions huge',
].join(' ')

describe('a state', () => {
  it('is read to the letter, and what is no text is named', () => {
    expect(readToldState('fish', payload)).toEqual({
      shell: 'fish',
      variables: {
        plain: { attributes: '', value: 'a b' },
        count: { attributes: 'ir', value: '5' },
        list: { attributes: 'a', values: { 1: 'x', 2: '' } },
        none: { attributes: '', values: {} },
        map: { attributes: 'A', values: { 'key ': 'value' } },
      },
      functions: { greet: 'echo\n' },
      aliases: { ll: 'ls -l' },
      options: { noclobber: true, beep: false },
      umask: '0027',
      directoryStack: ['/usr', '/a b'],
      traps: { USR1: '' },
      lastExitCode: 0,
      omitted: { shellVariables: ['bad', 'worse'], aliases: ['x'], functions: ['huge'] },
    })
  })

  it('that is cut off, or counts wrong, is refused', () => {
    for (const wrong of ['v a -', 'a l -a -2 ^x', 'a l -a -x ^y', 'h m -A -1 ^k', 'q x', 'u ^0%']) {
      expect(readToldState('zsh', wrong), wrong).toBeUndefined()
    }
  })

  it('is refused or read, whatever the payload', () => {
    const words = fc.constantFrom(...'vahfpudlto'.split(''), '-', '-1', '-2', '^a', "$'b'", '^%FF')
    holds(
      fc.property(fc.array(fc.oneof(words, words, fc.string())), (parts) => {
        const state = readToldState('zsh', parts.join(' '))
        expect(state === undefined || state.shell === 'zsh').toBe(true)
      }),
      2_000,
    )
  })
})
