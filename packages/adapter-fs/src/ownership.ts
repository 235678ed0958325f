/**
 * Ownership of a store across processes: held through something the kernel frees when the process dies,
 * however it dies, and never by a time-out.
 *
 * The name is made of the directory's device and inode, so that two paths to one directory are one store.
 */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { Logger, StoreOwned } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { codeOf, owned } from './store-error.js'

// ------------------------------------------------------------------------------------------ model

export interface Ownership {
  readonly release: () => Promise<void>
}

/** What is told through the logger where the kernel offers nothing that it frees on death. */
export interface OwnershipUnprotected {
  readonly _tag: 'OwnershipUnprotected'
  readonly platform: string
  readonly directory: string
}

/** The directory that is owned. */
export interface Owned {
  readonly directory: string
  readonly device: bigint
  readonly inode: bigint
}

/** Takes ownership of a directory, or answers at once that somebody has it. */
export type TakeOwnership = (
  place: Owned,
  logger: Logger,
) => Promise<E.Either<StoreOwned, Ownership>>

// ----------------------------------------------------------------------------------- constructors

// Node up to 20 fills an abstract name up to the size of the kernel's field, later versions do not: with
// the whole field given, both mean the same name.
const abstractNameBytes = 108

const abstractName = ({ device, inode }: Owned): string =>
  `\0session-recovery/${device}/${inode}/`.padEnd(abstractNameBytes, '.')

const pipeName = ({ device, inode }: Owned): string =>
  `\\\\.\\pipe\\session-recovery-${device}-${inode}`

// The BSDs and macOS lock a file as it is opened.
const O_EXLOCK = 0x20
const locking: ReadonlySet<string> = new Set(['darwin', 'freebsd', 'openbsd', 'netbsd'])

/** Whether the kernel of `platform` has something that it frees on death. */
export const isExclusive = (platform: string = process.platform): boolean =>
  platform === 'linux' || platform === 'win32' || locking.has(platform)

/** Takes ownership, or answers at once that somebody has it. */
export const takeOwnership = async (
  place: Owned,
  logger: Logger,
  platform: string = process.platform,
): Promise<E.Either<StoreOwned, Ownership>> => {
  if (platform === 'linux') return listen(place, abstractName(place))
  if (platform === 'win32') return listen(place, pipeName(place))
  if (locking.has(platform)) return lock(place)
  const warning: OwnershipUnprotected = {
    _tag: 'OwnershipUnprotected',
    platform,
    directory: place.directory,
  }
  logger('warn', 'nothing keeps a second engine from opening this store', warning)
  return E.right({ release: async () => undefined })
}

/** Whether somebody owns the store; where it can be told without keeping anybody from owning it. */
export const ownerOf = async (
  place: Owned,
  platform: string = process.platform,
): Promise<'owned' | 'free' | 'unknown'> => {
  if (platform === 'linux') return listener(abstractName(place))
  return platform === 'win32' ? listener(pipeName(place)) : 'unknown'
}

const listener = (path: string): Promise<'owned' | 'free' | 'unknown'> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve('owned')
    })
    socket.once('error', (error) => {
      const code = codeOf(error)
      resolve(code === 'ECONNREFUSED' || code === 'ENOENT' ? 'free' : 'unknown')
    })
  })

const taken = ({ directory }: Owned): E.Either<StoreOwned, never> =>
  E.left(owned(`${directory} is owned by another engine that runs`))

// `exclusive`, or the workers of a cluster would share the one socket and all be owners.
const listen = (place: Owned, path: string): Promise<E.Either<StoreOwned, Ownership>> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.unref()
    server.once('error', (error) => {
      if (codeOf(error) === 'EADDRINUSE') resolve(taken(place))
      else reject(error)
    })
    server.listen({ path, exclusive: true }, () => {
      resolve(
        E.right({ release: () => new Promise<void>((closed) => server.close(() => closed())) }),
      )
    })
  })

const lock = async (place: Owned): Promise<E.Either<StoreOwned, Ownership>> => {
  const { O_RDWR, O_CREAT, O_NONBLOCK } = constants
  try {
    const file = await open(
      `${place.directory}/owner.lock`,
      O_RDWR | O_CREAT | O_NONBLOCK | O_EXLOCK,
      0o600,
    )
    return E.right({ release: () => file.close() })
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return taken(place)
    throw error
  }
}
