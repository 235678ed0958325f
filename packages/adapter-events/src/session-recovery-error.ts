/**
 * What the drop-in class throws, or rejects with. Inside errors are values; the seed's constructor and
 * methods have no place for them in what they return, so here they are thrown, with a stable `_tag`.
 */
import type { DecodeError, StoreError } from '@session-recovery/core'

/**
 * - `InvalidConfig`: a field of the config or of the options is out of range or unknown (constructor).
 * - `InvalidInput`: a session or an update that cannot be kept; nothing was changed.
 * - `StoreFailed`: the store refused; `cause` says why.
 * - `NotRunning`: it was stopped; `start()` it again first.
 */
export type SessionRecoveryErrorTag =
  | 'InvalidConfig'
  | 'InvalidInput'
  | 'StoreFailed'
  | 'NotRunning'

export class SessionRecoveryError extends Error {
  readonly _tag: SessionRecoveryErrorTag
  /** The field at fault, as a path; empty where it is the whole or there is none. */
  readonly field: string

  constructor(tag: SessionRecoveryErrorTag, message: string, cause?: DecodeError | StoreError) {
    super(message, cause === undefined ? {} : { cause })
    this.name = 'SessionRecoveryError'
    this._tag = tag
    this.field = cause?._tag === 'DecodeError' ? cause.path : ''
  }
}

export const invalidConfig = (cause: DecodeError) =>
  new SessionRecoveryError('InvalidConfig', cause.message, cause)

export const invalidInput = (cause: DecodeError) =>
  new SessionRecoveryError('InvalidInput', cause.message, cause)

export const storeFailed = (cause: StoreError) =>
  new SessionRecoveryError('StoreFailed', cause.message, cause)

export const notRunning = () =>
  new SessionRecoveryError('NotRunning', 'SessionRecovery was stopped: start() it first')

export const isNotRunning = (thrown: unknown): thrown is SessionRecoveryError =>
  thrown instanceof SessionRecoveryError && thrown._tag === 'NotRunning'
