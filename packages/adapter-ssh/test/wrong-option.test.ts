/** Whatever stands in the options of the drivers or of a session: it is refused with its field. */
import { systemClock } from '@session-recovery/engine'
import * as E from 'fp-ts/lib/Either.js'
import { expect, test } from 'vitest'
import { sshDriver } from '../src/index.js'

const host = {
  host: 'h',
  user: 'u',
  credential: { _tag: 'password', password: 'correct-horse' },
  hostKeys: { _tag: 'pinned', keys: [`SHA256:${'A'.repeat(43)}`] },
}
const wanted = { cwd: '/', env: {}, sshOptions: { host: 'h' } }
const junk = [Number.NaN, -1, Number.POSITIVE_INFINITY, '', '5', null, [], {}, true, () => 1, 5n]

const wrong: readonly (readonly [string, unknown, unknown, readonly unknown[]])[] = [
  ...['keepaliveIntervalMs', 'keepaliveCount', 'dialTimeoutMs', 'outputLimitBytes'].map(
    (name) => [name, undefined, undefined, junk] as const,
  ),
  ['promptTimeoutMs', undefined, undefined, junk],
  ['hosts', undefined, undefined, [null, 5, 'h', {}, () => []]],
  ['hosts.0', 'whole', undefined, [null, 5, 'h', [], {}]],
  ...['host', 'user', 'credential', 'hostKeys'].map(
    (name) => [name, 'host', undefined, [null, 5, '', [], {}, '-x y']] as const,
  ),
  ...['cwd', 'env'].map(
    (name) => [name, undefined, 'wanted', [null, 5, undefined, { a: 1 }]] as const,
  ),
  ...['args', 'cols', 'rows', 'expectedMs'].map(
    (name) => [name, undefined, 'wanted', [null, 'x', -1, Number.NaN, { a: 1 }]] as const,
  ),
  ['sshOptions', undefined, 'wanted', [null, 5, 'h', [], {}, { host: '' }, { host: 'h', port: 0 }]],
]

test.each(wrong)('%s', async (name, inHost, inWanted, values) => {
  for (const value of values) {
    const hosts =
      inHost === 'whole' ? [value] : [inHost === 'host' ? { ...host, [name]: value } : host]
    const options = { clock: systemClock, hosts, ...(inHost || inWanted ? {} : { [name]: value }) }
    const driver = sshDriver(options as never)
    const asked = inWanted === undefined ? wanted : { ...wanted, [name]: value }
    const opened = await driver.open('a', asked as never)()
    expect(E.isLeft(opened) ? opened.left : opened).toMatchObject({
      sessionId: 'a',
      field: expect.stringContaining(name),
      message: expect.stringContaining(name),
    })
    expect(JSON.stringify(opened)).not.toContain('correct-horse')
    await driver.close()
  }
})
