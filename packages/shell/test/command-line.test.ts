/** What a line editor would take for a key is not typed as part of a command. */
import * as E from 'fp-ts/lib/Either.js'
import { expect, it } from 'vitest'
import { requestFor, scriptedShell } from './scripted-shell.js'

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

const openedBash = async () => {
  const made = scriptedShell()
  const opened = made.driver.open('a', { command: 'bash', cwd: '/', env: {} })()
  const session = await made.passing(opened)
  if (E.isLeft(session)) throw new Error(session.left.message)
  return { ...made, session: session.right }
}

it('a line of which the editor made another is not said to have ended well, nor run again', async () => {
  const made = await openedBash()
  made.script.makes = (line) => `${line} --force`
  expect(await made.passing(made.session.exec('deploy'))).toEqual({
    _tag: 'altered',
    ran: 'deploy --force',
    exitCode: 0,
  })
  made.script.endings.push({ code: 0, takesMs: 10_000_000 })
  made.session.write('deploy\r')
  await made.time.advance(5)
  made.die()
  const { traits } = requestFor({})
  const request = requestFor({
    traits: { ...traits, idempotentCommands: ['deploy --force'] },
  })
  const outcome = await made.passing(made.driver.run(request)())
  expect(outcome).toMatchObject({
    right: { _tag: 'failed', detail: expect.stringContaining('--force --force') },
  })
  expect(made.entered).toHaveLength(3)
})

it('a line that was typed and not seen to begin is named once its process is gone', async () => {
  const made = await openedBash()
  made.script.hears = false
  const typing = made.session.exec('make all')
  await made.time.advance(100)
  made.die()
  expect(await made.passing(typing)).toMatchObject({ _tag: 'lost' })
  made.script.hears = true
  const request = requestFor({ strategy: 'restart' })
  expect(await made.passing(made.driver.run(request)())).toMatchObject({
    right: { _tag: 'done' },
  })
  const verdict = await made.passing(made.driver.verify(request)())
  expect(JSON.stringify(verdict)).toContain(
    'typed, not seen to begin, and not typed again: make all',
  )
  expect(made.entered).toEqual([])
})
