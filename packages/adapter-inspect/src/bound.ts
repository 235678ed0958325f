/**
 * Bounds on what one message holds. What is cut says so in its place, with how much went.
 */
import type { Json } from '@session-recovery/core'

// ------------------------------------------------------------------------------------------ model

/** Characters of one text. */
const textLimit = 2_048

/** Items of one list, fields of one object. */
const itemLimit = 256

/**
 * Characters of one part of a message, keys included. JSON needs at most six bytes for one, and a message
 * has two parts: with what frames them, none is longer than `messageLimitBytes`.
 */
const partLimit = 16_384

/** No message is longer, in bytes of UTF-8. */
export const messageLimitBytes = 256 * 1_024

// What the punctuation around a value takes, counted for each.
const frame = 8

// ------------------------------------------------------------------------------------ combinators

/** `value`, cut where a text, a list, an object or the whole is over its limit. */
export const bounded = (value: Json): Json => {
  let left = partLimit
  const spend = (length: number): void => {
    left -= length + frame
  }
  const cut = (item: Json): Json => {
    if (typeof item === 'string') {
      const kept = Math.max(0, Math.min(item.length, textLimit, left))
      spend(kept)
      return kept === item.length ? item : `${item.slice(0, kept)}… (${item.length - kept} more)`
    }
    if (typeof item !== 'object' || item === null) {
      spend(String(item).length)
      return item
    }
    return Array.isArray(item) ? cutList(item) : cutFields(Object.entries(item))
  }
  const cutList = (items: readonly Json[]): Json => {
    const kept: Json[] = []
    for (const item of items) {
      if (left <= 0 || kept.length === itemLimit) break
      kept.push(cut(item))
    }
    return kept.length === items.length ? kept : [...kept, `… (${items.length - kept.length} more)`]
  }
  const cutFields = (fields: readonly (readonly [string, Json])[]): Json => {
    const kept: [string, Json][] = []
    for (const [key, item] of fields) {
      if (left <= key.length || kept.length === itemLimit) break
      spend(key.length)
      kept.push([key, cut(item)])
    }
    const more = fields.length - kept.length
    return Object.fromEntries(more === 0 ? kept : [...kept, ['…', `${more} more`]])
  }
  return cut(value)
}
