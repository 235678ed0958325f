/**
 * What another life of the app left on a host that keeps processes without their connection. It cannot
 * prove itself to us, since what signs its marks is never stored: it is ended before another is started,
 * so that no command of it runs on beside the new one.
 */
import type { Cancellation, Standing } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import type { Host, KeptEnd, KeptProcess, Leftover, StartFailure } from './host.js'
import type { Shell } from './shell.js'

// ------------------------------------------------------------------------------------------ model

/** A process that a snapshot names. */
export interface Inheritance {
  /** The name of the host it is kept on. */
  readonly place: string
  readonly kept: KeptProcess
  /** What became of it; absent: nothing yet. */
  readonly end?: KeptEnd
}

/** What a session knows of where it stands. */
export interface Stand {
  readonly id: string
  host: Host
  /** What is to be ended before anything is started; gone once something was. */
  inherited: Inheritance | undefined
  rope: { readonly kept: KeptProcess; readonly shell: Shell } | undefined
}

// ------------------------------------------------------------------------------------ combinators

/** What a snapshot says was left. */
export const inheritedIn = (standing: Standing | undefined): Inheritance | undefined =>
  standing?.kept === undefined ? undefined : { place: standing.place, kept: keptIn(standing.kept) }

const keptIn = ({ name, identity }: NonNullable<Standing['kept']>): KeptProcess => ({
  name,
  identity: {
    pid: identity.pid,
    ...(identity.startTicks === undefined ? {} : { startTicks: identity.startTicks }),
    ...(identity.bootId === undefined ? {} : { bootId: identity.bootId }),
  },
})

/** Where the session stands, to be stored: what was left stays named until it is seen to. */
export const standingOf = ({ host, inherited, rope }: Stand): Standing => {
  if (inherited !== undefined && inherited.end === undefined) {
    return { place: inherited.place, kept: storable(inherited.kept) }
  }
  const kept = rope?.shell.gone()?._tag === 'exited' ? undefined : rope?.kept
  return { place: host.name, ...(kept === undefined ? {} : { kept: storable(kept) }) }
}

const storable = ({ name, identity }: KeptProcess): NonNullable<Standing['kept']> => ({
  name,
  identity: { ...identity },
})

/** Ends what was left, where the session stands on the host of it; left: it could not be reached. */
export const endInherited = async (
  session: Stand,
  signal?: Cancellation,
): Promise<E.Either<StartFailure, unknown>> => {
  const { host, inherited } = session
  if (inherited === undefined || inherited.end !== undefined) return E.right(undefined)
  if (host.name !== inherited.place || host.endKept === undefined) return E.right(undefined)
  const ended = await host.endKept(session.id, inherited.kept, signal)
  if (E.isRight(ended)) session.inherited = { ...inherited, end: ended.right }
  return ended
}

/** What became of what was left, as a person reads it. */
export const inheritedText = ({ place, kept, end }: Inheritance): string => {
  const { pid } = kept.identity
  if (end === undefined) return `process ${pid} on ${place} could not be reached to be ended`
  switch (end._tag) {
    case 'ended':
      return `process ${pid} that was kept on ${place} cannot prove itself to a new driver: it is ended`
    case 'gone':
      return `process ${pid} that was kept on ${place} has ended meanwhile`
    case 'let-be':
      return `process ${pid} that was kept on ${place} cannot prove itself to a new driver: ${end.detail}`
  }
}

/** What ended with it. */
export const leftoverOf = (inherited: Inheritance | undefined): Leftover =>
  inherited?.end?._tag === 'ended' ? inherited.end.leftover : { ended: [], letBe: [] }
