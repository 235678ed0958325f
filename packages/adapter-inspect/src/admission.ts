/**
 * Who may look: a viewer that knows the token, through a page that may, at this very server.
 *
 * The token keeps out other users and pages. The Origin keeps out a page that got hold of the token. The
 * Host keeps out a page whose name was made to point here after it was loaded (DNS rebinding).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

// ------------------------------------------------------------------------------------------ model

export interface Admission {
  readonly token: string
  readonly port: number
  /** Besides none at all (a program) and the pages of this machine. */
  readonly allowedOrigins: readonly string[]
}

/** Why somebody may not look, as HTTP says it. */
export interface Refusal {
  readonly status: 401 | 403
  readonly reason: 'host' | 'origin' | 'token'
}

interface Asking {
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
}

// ------------------------------------------------------------------------------------ combinators

const ownPage = /^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d{1,5})?$/

/** Why `asking` is refused; `undefined` when it is not. */
export const refusalOf = (asking: Asking, admission: Admission): Refusal | undefined => {
  const { host, origin } = asking.headers
  if (!isOwnHost(host, admission.port)) return { status: 403, reason: 'host' }
  const mayAsk =
    origin === undefined || ownPage.test(origin) || admission.allowedOrigins.includes(origin)
  if (!mayAsk) return { status: 403, reason: 'origin' }
  return isSame(givenToken(asking), admission.token) ? undefined : { status: 401, reason: 'token' }
}

const isOwnHost = (host: string | undefined, port: number): boolean => {
  // Clients leave out the port that is HTTP's own.
  const suffixes = port === 80 ? [':80', ''] : [`:${port}`]
  return suffixes.some((suffix) => host === `127.0.0.1${suffix}` || host === `localhost${suffix}`)
}

/** The token in the address, which is all that a page can give, or in the header that programs use. */
const givenToken = ({ url, headers }: Asking): string => {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  const query = url?.split('?')[1] ?? ''
  return new URLSearchParams(query).get('token') ?? ''
}

// Digests are equally long whatever was given, so that neither length nor content shows in the time.
const isSame = (given: string, token: string): boolean =>
  timingSafeEqual(sha256(given), sha256(token))

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
