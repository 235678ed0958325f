/**
 * The uuid (version 5) of a text under the project's namespace: what every id, token and digest is.
 *
 * There are some four to each decision. As `uuid` makes one it takes four buffers outside the heap, and a
 * collection of garbage that is under way does a piece of its work at each of these: at a hundred thousand
 * sessions turns of the loop took a third of a second. Here the bytes of a text, and the hash, are used again.
 */
import { sha1 } from '@noble/hashes/legacy.js'
import { parse, stringify, v5 } from 'uuid'

/** Never change it: stored ids and tokens derive from it. */
const namespace = parse('5b1d3c9e-2f6a-5c1e-9d0b-7a4e8f3c2b61')

// Every runtime has it, but not the language's own library.
declare const TextEncoder: new () => {
  readonly encode: (text: string) => Uint8Array
  readonly encodeInto: (text: string, into: Uint8Array) => { readonly written: number }
}
const utf8 = new TextEncoder()

/** Nearly all texts are shorter. */
const roomBytes = 65_536

/** The namespace, and room for a text behind it. */
const room = new Uint8Array(namespace.length + roomBytes)
room.set(namespace)
const behind = room.subarray(namespace.length)

const fresh = sha1.create()
const hash = sha1.create()
const digested = new Uint8Array(sha1.outputLen)

/** The uuid of `text`. */
export const named = (text: string): string => {
  // A character takes three bytes at most for each of its halves.
  if (text.length * 3 > roomBytes) return v5(utf8.encode(text), namespace)
  const end = namespace.length + utf8.encodeInto(text, behind).written
  fresh._cloneInto(hash)
  hash.update(room.subarray(0, end)).digestInto(digested)
  digested[6] = ((digested[6] ?? 0) & 0x0f) | 0x50
  digested[8] = ((digested[8] ?? 0) & 0x3f) | 0x80
  return stringify(digested)
}
