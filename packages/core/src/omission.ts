/**
 * Leaving fields out. It is done at every decision: what the language has for it, a rest of fields, takes a
 * hundred times as long as a copy with a field replaced.
 */

/**
 * `from` without the fields `keys`; itself where it has none of them.
 *
 * @example
 * without({ a: 1, b: 2 }, 'b') // => { a: 1 }
 */
export const without = <A extends object, K extends keyof A>(
  from: A,
  ...keys: readonly K[]
): Omit<A, K> => {
  if (!keys.some((key) => Object.hasOwn(from, key))) return from
  // Made afresh: an object that a field was deleted from is slow for ever after.
  const kept: Partial<Record<keyof A, unknown>> = {}
  for (const key of Object.keys(from) as (keyof A)[]) {
    if (!keys.includes(key as K)) kept[key] = from[key]
  }
  return kept as Omit<A, K>
}
