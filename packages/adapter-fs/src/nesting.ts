/**
 * How deep JSON nests, told before it is parsed or written: what nests without end would take memory
 * without end, and cannot be handed to whoever walks through it.
 */

/** How deep a line, or what an app stores, may nest; an app's own data nests 64 deep at most. */
export const nestingLimit = 256

/** What the store itself puts around what it is given. */
const wrapping = 16

/** How deep a line of the log, or an archive, may nest. */
export const lineNestingLimit: number = nestingLimit + wrapping

const open = { list: 0x5b, object: 0x7b }
const close = { list: 0x5d, object: 0x7d }
const quote = 0x22
const backslash = 0x5c

/** Whether JSON text nests deeper than `limit`; told from its bytes. */
export const isNestedDeeper = (bytes: Buffer, limit: number): boolean => {
  let depth = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === quote) i = endOfText(bytes, i)
    else if (byte === open.list || byte === open.object) {
      depth += 1
      if (depth > limit) return true
    } else if (byte === close.list || byte === close.object) depth -= 1
  }
  return false
}

/** Where the quote stands that ends the text which starts at `start`; the end where there is none. */
const endOfText = (bytes: Buffer, start: number): number => {
  for (let at = bytes.indexOf(quote, start + 1); at >= 0; at = bytes.indexOf(quote, at + 1)) {
    let escapes = 0
    while (bytes[at - 1 - escapes] === backslash) escapes += 1
    if (escapes % 2 === 0) return at
  }
  return bytes.length
}

/** Whether a value nests deeper than `limit`; what is deeper is not looked at, so that a cycle is deep. */
export const isDeeper = (value: unknown, limit: number): boolean => {
  if (typeof value !== 'object' || value === null) return false
  if (limit === 0) return true
  const inner: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  return inner.some((one) => isDeeper(one, limit - 1))
}
