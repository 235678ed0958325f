/** A dial has a bound over all of it: also where the app's own function is asked and never answers. */
import * as E from 'fp-ts/lib/Either.js'
import ssh2 from 'ssh2'
import { expect, test } from 'vitest'
import { sshDriver } from '../src/index.js'
import { realClock } from './rig.js'

// A driver of a host whose password never comes; nothing listens there.
const driverOf = (dialTimeoutMs: number) => {
  let asked = (): void => {}
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve
  })
  const driver = sshDriver({
    clock: realClock,
    dialTimeoutMs,
    hosts: [
      {
        host: '127.0.0.1',
        port: 1,
        user: 'nobody',
        credential: {
          _tag: 'password',
          password: () => {
            asked()
            return new Promise<string>(() => {})
          },
        },
        hostKeys: { _tag: 'pinned', keys: [ssh2.utils.generateKeyPairSync('ed25519').public] },
      },
    ],
  })
  const open = driver.open('a', {
    command: 'sh',
    cwd: '/',
    env: {},
    sshOptions: { host: '127.0.0.1', port: 1 },
  })
  return { driver, open, isAsked }
}

test('a secret that never comes is not waited for longer than a dial may take', async () => {
  const { driver, open } = driverOf(100)
  const opened = await open()
  expect(E.isLeft(opened) ? opened.left : 'opened').toMatchObject({
    _tag: 'SpawnFailed',
    message: expect.stringContaining('not there within 100 ms'),
  })
  await driver.close()
})

test('a driver closes while a secret is asked for that never comes', async () => {
  const { driver, open, isAsked } = driverOf(3_600_000)
  const opening = open()
  await isAsked
  await driver.close()
  expect(E.isLeft(await opening)).toBe(true)
})
