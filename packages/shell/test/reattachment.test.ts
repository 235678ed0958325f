/** No key is typed into what may be the user's own, and not the shell's prompt, after a reconnection. */
import * as E from 'fp-ts/lib/Either.js'
import { expect, it } from 'vitest'
import { requestFor, scriptedShell } from './scripted-shell.js'

/** A session whose connection was lost, and that was attached to again. */
const reconnected = async (line: string | undefined) => {
  const made = scriptedShell()
  const opened = made.driver.open('a', { command: 'bash', cwd: '/', env: {} })()
  const session = await made.passing(opened)
  if (E.isLeft(session)) throw new Error(session.left.message)
  made.script.endings.push({ code: 0, takesMs: 60_000 })
  made.script.readsKey = true
  if (line !== undefined) session.right.write(`${line}\r`)
  await made.time.advance(5)
  made.cut()
  const request = requestFor({ strategy: 'reconnect' })
  const outcome = await made.passing(made.driver.run(request)())
  expect(outcome).toMatchObject({ right: { _tag: 'done' } })
  return { ...made, session: session.right, request }
}

it('a builtin that reads a key, and looks like the prompt, gets none: the kernel alone proves it', async () => {
  const made = await reconnected('read -rsn1')
  const identity = made.session.identity()
  for (const strategy of ['reconnect', 'prompt-reset'] as const) {
    const verdict = await made.passing(made.driver.verify({ ...made.request, strategy })())
    expect(made.script.pressed).toBe(0)
    expect(verdict).toMatchObject({
      right:
        strategy === 'reconnect'
          ? { _tag: 'alive', receipt: { evidence: [{ source: 'kernel' }, { source: 'kernel' }] } }
          : { _tag: 'unproved' },
    })
  }
  expect(made.session.identity()).toEqual(identity)
  // When it ends, the shell says that it is at its prompt, and can be asked again.
  await made.time.advance(60_000)
  expect(await made.passing(made.driver.verify(made.request)())).toMatchObject({
    right: { _tag: 'alive', receipt: { evidence: [{ source: 'mark' }] } },
  })
  expect(made.script.pressed).toBe(1)
})

it('a shell of which no command was heard is asked', async () => {
  const made = await reconnected(undefined)
  expect(await made.passing(made.driver.verify(made.request)())).toMatchObject({
    right: { _tag: 'alive', receipt: { evidence: [{ source: 'mark' }] } },
  })
  expect(made.script.pressed).toBe(1)
})

it('a session that is opened anew ends the process that its connection was lost to', async () => {
  const made = scriptedShell()
  const options = { command: 'bash', cwd: '/', env: {} }
  await made.passing(made.driver.open('a', options)())
  made.cut()
  const again = await made.passing(made.driver.open('a', options)())
  expect(again).toMatchObject({ right: { id: 'a' } })
  expect(made.starts()).toBe(2)
  expect(made.living()).toBe(1)
})
