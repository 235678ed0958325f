/**
 * The hosts an app declared, and which of them a session may use.
 */
import { type Host, type HostPool, type StartFailure, wrongOption } from '@session-recovery/shell'
import * as E from 'fp-ts/lib/Either.js'
import { type PoolHost, poolHostOf, type SshHostOptions, wishOf } from './option.js'

// ------------------------------------------------------------------------------------------ model

/** A host that is declared, and how it is reached. */
export interface Member<H extends Host = Host> {
  readonly declared: PoolHost
  readonly host: H
}

export interface Pool<H extends Host> extends HostPool {
  /** The host a session with these options begins on. */
  readonly memberOf: (options: unknown, place?: string) => E.Either<StartFailure, Member<H>>
  readonly members: readonly Member<H>[]
}

// ----------------------------------------------------------------------------------- constructors

/** A pool of the declared hosts. Where a declaration is wrong, every session is told so. */
export const poolOf = <H extends Host>(
  declared: readonly SshHostOptions[],
  hostFor: (declared: PoolHost) => H,
  wrongBeside?: StartFailure,
): Pool<H> => {
  const list = Array.isArray(declared) ? declared : []
  const read = list.map((one, index) => poolHostOf(one, `hosts.${index}`))
  const noList = list === declared ? undefined : wrongOption('hosts', 'a list of hosts')
  const beside = noList ?? wrongBeside
  const wrong = beside === undefined ? read.find(E.isLeft) : E.left(beside)
  const members = read.flatMap((one) =>
    E.isLeft(one) ? [] : [{ declared: one.right, host: hostFor(one.right) }],
  )
  const memberOf: Pool<H>['memberOf'] = (options, place) => {
    if (wrong !== undefined) return wrong
    const wish = wishOf(options)
    if (E.isLeft(wish)) return wish
    const { sshOptions, requires = [] } = wish.right
    const stood = members.find(({ host }) => host.name === place)
    if (stood !== undefined && meets(stood.declared, requires)) return E.right(stood)
    const fitting = members.filter(({ declared: { host, port, user } }) => {
      const isPort = sshOptions.port === undefined || sshOptions.port === port
      const isUser = sshOptions.user === undefined || sshOptions.user === user
      return host === sshOptions.host && isPort && isUser
    })
    const found = fitting.find((one) => meets(one.declared, requires))
    if (found !== undefined) return E.right(found)
    return fitting.length === 0
      ? refused('sshOptions', 'no such host in the pool')
      : refused('requires', `${fitting[0]?.host.name} does not offer ${requires.join(', ')}`)
  }
  return {
    members,
    memberOf,
    hostOf: (_sessionId, options, place) =>
      E.map((member: Member<H>) => member.host)(memberOf(options, place)),
    others: (current, options) => {
      const wish = wishOf(options)
      if (E.isLeft(wish)) return []
      const { requires = [] } = wish.right
      return members
        .filter(({ host, declared }) => host !== current && meets(declared, requires))
        .map(({ host }) => host)
    },
  }
}

// ------------------------------------------------------------------------------------ combinators

const refused = (field: string, detail: string) =>
  E.left<StartFailure>({ detail: `${field}: ${detail}`, field, permanent: true })

const meets = ({ labels }: PoolHost, requires: readonly string[]): boolean =>
  requires.every((label) => labels.includes(label))
