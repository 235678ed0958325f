/** What nobody could look at is not proved, whatever was known of it before. */
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { requestFor, scriptedShell } from './scripted-shell.js'

const opened = async (command = 'bash') => {
  const made = scriptedShell()
  const session = await made.passing(made.driver.open('a', { command, cwd: '/', env: {} })())
  return { ...made, session }
}

const { traits, signal } = requestFor({})
const attended = { ...traits, attended: true }

describe('a session that could not be looked at', () => {
  it('is not proved by a kernel that nobody asked', async () => {
    for (const isAttended of [false, true]) {
      const made = await opened()
      if (E.isLeft(made.session)) throw new Error(made.session.left.message)
      made.script.endings.push({ code: 0, takesMs: 10_000_000 })
      made.session.right.write('make it so\r')
      await made.time.advance(5)
      const request = { sessionId: 'a', incarnation: 1, token: 'token', signal }
      const asked = { ...request, traits: isAttended ? attended : traits }
      expect(await made.passing(made.driver.verify(asked)())).toMatchObject({
        right: { _tag: 'alive' },
      })
      made.script.looks = false
      expect(await made.passing(made.driver.verify(asked)())).toMatchObject({
        right: { _tag: 'unproved', evidence: [] },
      })
    }
  })

  it('is proved at its prompt by what it answers, signed', async () => {
    const made = await opened()
    made.script.looks = false
    const request = { sessionId: 'a', incarnation: 1, token: 'token', signal, traits }
    expect(await made.passing(made.driver.verify(request)())).toMatchObject({
      right: { _tag: 'alive', receipt: { evidence: [{ source: 'mark', trusted: true }] } },
    })
  })

  it('is not open, where the program gives no marks', async () => {
    const made = scriptedShell()
    made.script.looks = false
    const session = made.driver.open('a', { command: 'sleep', cwd: '/', env: {} })()
    expect(await made.passing(session)).toMatchObject({
      left: { message: expect.stringContaining('could not be looked at') },
    })
  })
})
