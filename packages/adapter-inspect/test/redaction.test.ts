/** No secret is shown, wherever it stands, as long as a name gives it away. */
import {
  defaultPolicy,
  receiptOf,
  redactedText,
  restored,
  secretReference,
} from '@session-recovery/core'
import { describe, expect, it } from 'vitest'
import { withoutSecrets } from '../src/redaction.js'
import { inspectorOf } from './scope.js'
import { alive, died, recoveryOf } from './trace.js'
import { eventsOf, viewerOf } from './viewer.js'

const secret = 'hunter22-correct-horse'

const shown = (value: unknown, declared: readonly string[] = []) =>
  withoutSecrets({ value }, declared).value

describe('fields', () => {
  it('with a secret name are covered, at any depth', () => {
    const value = {
      env: { DB_PASSWORD: secret, HOME: '/root', list: [{ apiKey: secret }] },
      credentials: { user: 'u', phrase: [secret] },
      TOKEN: 123_456_789,
    }
    expect(shown(value)).toEqual({
      env: { DB_PASSWORD: redactedText, HOME: '/root', list: [{ apiKey: redactedText }] },
      credentials: redactedText,
      TOKEN: redactedText,
    })
  })

  it('with a declared name are covered, too', () => {
    expect(shown({ LICENCE: secret }, ['LICENCE'])).toEqual({ LICENCE: redactedText })
    expect(shown({ LICENCE: secret })).toEqual({ LICENCE: secret })
  })

  it('that hold no secret stay: yes, no, nothing and references', () => {
    const reference = secretReference('shell-1', 'TOKEN')
    const value = { credentialRefused: true, token: null, secret: '', password: reference }
    expect(shown(value)).toEqual(value)
  })

  it('are plain JSON whatever they were', () => {
    const at = new Date(0)
    const value = { at, never: new Date(Number.NaN), no: undefined, run: () => secret, n: 10n }
    expect(shown({ ...value, list: [undefined, () => secret, Number.NaN] })).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      never: null,
      n: '10',
      list: [null, null, 'NaN'],
    })
    const endless: Record<string, unknown> = { a: 1 }
    endless.self = endless
    expect(JSON.stringify(shown(endless))).toContain('…')
  })
})

describe('texts', () => {
  it.each([
    `DB_PASSWORD=${secret}`,
    `export API_TOKEN="${secret}" more`,
    `password: ${secret}`,
    `{"token":"${secret}"}`,
    `{\\"token\\":\\"${secret}\\"}`,
    `x-api-key: ${secret}`,
    `Authorization: Bearer ${secret}`,
    `mysql --password ${secret} -h db`,
    `mysql --password='${secret}' -h db`,
    `cut off: password="${secret}`,
    `https://user:${secret}@example.com/x`,
    `error: login: token: ${secret}`,
    `a=1;password=${secret}`,
    `password="a token=b ${secret}"`,
  ])('do not assign one: %s', (text) => {
    expect(JSON.stringify(shown(text))).not.toContain(secret)
    expect(JSON.stringify(shown(text))).toContain(redactedText)
  })

  it('keep what assigns none', () => {
    for (const text of ['exit code: 137', 'HOME=/root', 'a - b', 'see https://example.com:80/x'])
      expect(shown(text)).toBe(text)
  })

  it('are looked through in one go, whatever they are', () => {
    // Each would take hours if the time grew with the square of the length.
    for (const part of ['a', 'a.', '-', ' ', 'a ', 'a=', '"', '://', '://a:', 'token="', '--a '])
      expect(shown(part.repeat(300_000))).toBeTypeOf('string')
  })

  it('do not repeat what another field or value names a secret', () => {
    const clean = withoutSecrets(
      { event: { env: { PGPASSWORD: secret } }, context: { reason: `said ${secret}!` } },
      [],
    )
    expect(clean.context).toEqual({ reason: `said ${redactedText}!` })
    const told = shown([`login with token=${secret}`, `${secret} was refused`])
    expect(told).toEqual([`login with token=${redactedText}`, `${redactedText} was refused`])
  })
})

describe('a viewer', () => {
  it('sees no secret that got into records, events or captures', async () => {
    const policy = { ...defaultPolicy, secretNames: ['LICENCE'] }
    const inspector = await inspectorOf({ policy })
    const viewer = await viewerOf(inspector.url)
    const licence = 'known-by-declaration-alone'
    const evidence = { ...died.evidence[0]!, detail: `LICENCE=${licence} is over` }
    const failure = { ...died, reason: `ssh: PASSWORD=${secret} refused`, evidence: [evidence] }
    const receipt = receiptOf('observed', {
      ...alive.items,
      env: restored(`API_KEY=${secret} is back`),
    })
    const planted = recoveryOf('shell-1', failure, receipt, policy).map((notice) =>
      notice._tag === 'decided'
        ? {
            ...notice,
            record: {
              ...notice.record,
              control: {
                ...notice.record.control,
                environment: { DB_PASSWORD: secret },
                options: { sshOptions: { passphrase: secret }, note: `it is ${secret}` },
              },
            },
          }
        : notice,
    )
    planted.forEach(inspector.sink)
    inspector.sink({
      _tag: 'capture-failed',
      sessionId: 'shell-1',
      detail: `token=${secret} was refused`,
    })
    const late = await viewerOf(inspector.url)
    await viewer.until((all) => eventsOf(all).at(-1) === 'captureFailed' && all.length === 13)
    await late.until((all) => all.length === 2)
    expect(viewer.text()).not.toContain(secret)
    expect(late.text()).not.toContain(secret)
    expect(viewer.text()).not.toContain(licence)
    // What was planted did arrive, without what it held.
    for (const sign of ['DB_PASSWORD', 'sshOptions', 'LICENCE=[secret]', 'PASSWORD=[secret]'])
      expect(viewer.text()).toContain(sign)
    expect(late.text()).toContain('token=[secret]')
  })

  it('is told everything else of a recovery', async () => {
    const inspector = await inspectorOf()
    const viewer = await viewerOf(inspector.url)
    recoveryOf('shell-1').forEach(inspector.sink)
    const seen = await viewer.until((all) => all.length === 11)
    const covered = new Set<string>()
    const look = (value: unknown): void => {
      for (const [key, inner] of Object.entries(value ?? {})) {
        if (inner === redactedText) covered.add(key)
        else if (typeof inner === 'string') expect(inner).not.toContain(redactedText)
        else if (typeof inner === 'object') look(inner)
      }
    }
    seen.forEach(look)
    // The engine's own tokens: no secrets, but a viewer has no use for them.
    expect([...covered].sort()).toEqual(['runToken', 'token'])
  })
})
