/** What a line editor would take for a key is not typed as part of a command. */
import * as E from 'fp-ts/lib/Either.js'
import { expect, it } from 'vitest'
import { scriptedShell } from './scripted-shell.js'

const controls = [...Array.from({ length: 0x20 }, (_, code) => code), 0x7f]

it('a line with a control character is not typed, and said to be so; a newline is', async () => {
  const made = scriptedShell()
  const opened = made.driver.open('a', { command: 'bash', cwd: '/', env: {} })()
  const session = await made.passing(opened)
  if (E.isLeft(session)) throw new Error(session.left.message)
  for (const code of controls) {
    const line = `echo ${String.fromCharCode(code)}é`
    const outcome = await made.passing(session.right.exec(line))
    const isNewline = code === 0x0a
    expect(outcome, String(code)).toMatchObject(
      isNewline
        ? { _tag: 'finished' }
        : { _tag: 'lost', detail: expect.stringContaining('cannot be typed') },
    )
  }
  expect(made.entered.map(({ line }) => line)).toEqual(['echo \né'])
})
