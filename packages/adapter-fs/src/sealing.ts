/**
 * The keys a store is sealed with, as an app gives them, and what is wrong with them.
 */

// ------------------------------------------------------------------------------------------ model

/** With what a store is sealed. */
export interface SealingOptions {
  /** The id of the key that seals what is stored from now on. */
  readonly current: string
  /**
   * Every key, of 32 bytes, under its id. A former key is needed until a checkpoint has sealed anew what it
   * had sealed, and for the archives of its time as long as they are kept.
   */
  readonly keys: Readonly<Record<string, Uint8Array>>
  /**
   * Ids of keys that nobody has any more. What they sealed cannot be read, and a later snapshot replaces
   * it; a key that is merely not given keeps the store from opening. Default: none.
   */
  readonly lostKeys?: readonly string[]
  /**
   * Whether what was stored in clear is read, and sealed by the next checkpoint: for the time in which a
   * store changes over. Default: no, since whoever can write there could put anything in its place.
   */
  readonly acceptUnsealed?: boolean
}

// ------------------------------------------------------------------------------------ combinators

const keyBytes = 32

/** What is wrong with `sealing`, without what stands there. */
export const sealingProblem = (sealing: SealingOptions): string | undefined => {
  if (typeof sealing !== 'object' || sealing === null)
    return 'sealing: expected keys and which is current'
  const problem = keysProblem(sealing) ?? lostProblem(sealing)
  return problem === undefined ? undefined : `sealing.${problem}`
}

const keysProblem = ({ current, keys }: SealingOptions): string | undefined => {
  if (typeof keys !== 'object' || keys === null) return 'keys: expected keys under their ids'
  for (const [id, key] of Object.entries(keys)) {
    const named = `keys.${id}`
    if (id === '') return `${named}: expected an id`
    if (!(key instanceof Uint8Array)) return `${named}: expected a Uint8Array`
    if (key.length !== keyBytes) return `${named}: expected ${keyBytes} bytes, got ${key.length}`
  }
  if (typeof current !== 'string' || !Object.hasOwn(keys, current)) {
    return 'current: expected the id of one of the keys'
  }
  return undefined
}

const lostProblem = ({ keys, lostKeys, acceptUnsealed }: SealingOptions): string | undefined => {
  const areIds = Array.isArray(lostKeys) && lostKeys.every((id) => typeof id === 'string')
  if (lostKeys !== undefined && !areIds) return 'lostKeys: expected ids'
  const given = lostKeys?.find((id) => Object.hasOwn(keys, id))
  if (given !== undefined) return `lostKeys: ${given} is among the keys`
  return acceptUnsealed === undefined || typeof acceptUnsealed === 'boolean'
    ? undefined
    : 'acceptUnsealed: expected a boolean'
}
