/**
 * How a login is tried: the one method that was declared, with secrets that are fetched for it.
 */
import { createHmac, randomBytes } from 'node:crypto'
import type { StartFailure } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import ssh2, {
  type AnyAuthMethod,
  type BaseAgent,
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2'
import { fingerprintOf } from './known-host.js'
import type { PoolHost, SecretSource, SshCredential } from './option.js'

// ------------------------------------------------------------------------------------------ model

/** A method with its secrets, for one dial. */
export interface Login {
  readonly method: AnyAuthMethod
  /** What stands for the credential where it is remembered what came of it; gives nothing away. */
  readonly mark: string
}

// ------------------------------------------------------------------------------------ combinators

/** Fetches the secrets of a host's credential and makes them a login. */
export const loginOf = async ({
  credential,
  user,
  host,
  port,
}: PoolHost): Promise<E.Either<StartFailure, Login>> => {
  // A password is the user's, wherever; whether a key is let in is up to each host.
  const place = credential._tag === 'password' ? [] : [host, String(port)]
  try {
    const { values, method } = await methodOf(credential, user)
    return E.map((made: AnyAuthMethod) => ({
      method: made,
      mark: markOf([credential._tag, user, ...place, ...values]),
    }))(method)
  } catch {
    // What the app's own function throws could hold the secret.
    return E.left({ detail: `the ${credential._tag} of ${user} could not be fetched` })
  }
}

const markKey = randomBytes(32)

const markOf = (parts: readonly string[]): string =>
  createHmac('sha256', markKey).update(JSON.stringify(parts)).digest('base64')

interface Fetched {
  readonly values: readonly string[]
  readonly method: E.Either<StartFailure, AnyAuthMethod>
}

const fetched = async (source: SecretSource): Promise<string> =>
  typeof source === 'function' ? source() : source

const methodOf = async (credential: SshCredential, username: string): Promise<Fetched> => {
  switch (credential._tag) {
    case 'password': {
      const password = await fetched(credential.password)
      return { values: [password], method: E.right({ type: 'password', username, password }) }
    }
    case 'private-key': {
      const text = await fetched(credential.privateKey)
      const { passphrase } = credential
      const phrase = passphrase === undefined ? undefined : await fetched(passphrase)
      const key = ssh2.utils.parseKey(text, phrase)
      const isKey = !(key instanceof Error) && key.isPrivateKey()
      return {
        values: [text, phrase ?? ''],
        method: isKey
          ? E.right({ type: 'publickey', username, key })
          : E.left({
              detail: `the private key of ${username} cannot be read, or not with this passphrase`,
              credentialRefused: true,
            }),
      }
    }
    case 'agent': {
      const path = await fetched(credential.socketPath)
      const agent = new OneIdentity(ssh2.createAgent(path), credential.identity)
      return {
        values: [path, credential.identity ?? ''],
        method: E.right({ type: 'agent', username, agent }),
      }
    }
  }
}

/** An agent that shows one of its keys: each that is offered counts as a try. */
class OneIdentity extends ssh2.BaseAgent {
  private readonly agent: BaseAgent
  private readonly fingerprint: string | undefined

  constructor(agent: BaseAgent, fingerprint: string | undefined) {
    super()
    this.agent = agent
    this.fingerprint = fingerprint
  }

  override getIdentities(done: IdentityCallback): void {
    this.agent.getIdentities((error, keys) => {
      if (error) return done(error)
      const read = (keys ?? []).flatMap((key) => {
        const parsed = ssh2.utils.parseKey(key as Buffer)
        return parsed instanceof Error ? [] : [parsed]
      })
      const wanted = read.find(
        (key) =>
          this.fingerprint === undefined || fingerprintOf(key.getPublicSSH()) === this.fingerprint,
      )
      if (wanted === undefined) done(new Error('the agent does not hold the key'))
      else done(undefined, [wanted])
    })
  }

  override sign(
    key: string | Buffer | ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    if (typeof options === 'function') this.agent.sign(key, data, options)
    else this.agent.sign(key, data, options, done)
  }
}
