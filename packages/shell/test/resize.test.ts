/** A size that is given while a process is being started reaches it. */
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { requestFor, scriptedShell } from './scripted-shell.js'

test('a size of while the shell was started is given to the shell', async () => {
  const { driver, die, passing, script, time } = scriptedShell()
  const opened = await passing(driver.open('a', { command: 'bash', cwd: '/', env: {} })())
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  die()
  let release = (): void => {}
  script.held = new Promise((resolve) => {
    release = resolve
  })
  const running = driver.run(requestFor({ strategy: 'restart' }))()
  await time.advance(10)
  expect(script.resized).toEqual([])
  opened.right.resize({ cols: 100, rows: 30 })
  release()
  expect(await passing(running)).toMatchObject({ right: { _tag: 'done' } })
  expect(script.resized).toEqual([{ cols: 100, rows: 30 }])

  die()
  expect(await passing(driver.run(requestFor({ strategy: 'restart' }))())).toMatchObject({
    right: { _tag: 'done' },
  })
  expect(script.resized).toHaveLength(1)
})
