/**
 * The uuid (version 5) of a text under the project's namespace: what every id, token and digest is.
 *
 * There are some four to each decision. As the library makes one it takes four buffers outside the heap, and
 * a collection of garbage that is under way does a piece of its work at each of these: at a hundred thousand
 * sessions turns of the loop took a third of a second. Node's hash needs none; elsewhere the library does it.
 */
import { parse, v5 } from 'uuid'

/** Never change it: stored ids and tokens derive from it. */
const namespace = parse('5b1d3c9e-2f6a-5c1e-9d0b-7a4e8f3c2b61')

/** What is used of Node's `crypto`; other runtimes may have one without it. */
export interface NodeCrypto {
  readonly hash?: (algorithm: 'sha1', data: Uint8Array, encoding: 'hex') => string
}

// Every runtime has it, but not the language's own library. Of a text the uuid would be made byte by byte.
declare const TextEncoder: new () => {
  readonly encode: (text: string) => Uint8Array
  readonly encodeInto: (text: string, into: Uint8Array) => { readonly written: number }
}
const utf8 = new TextEncoder()

/** As the library makes it, anywhere. */
const portable = (text: string): string => v5(utf8.encode(text), namespace)

/** Nearly all texts are shorter. */
const roomBytes = 65_536

/** Room for the namespace and for `bytes` of text. */
const roomFor = (bytes: number): Uint8Array => {
  const room = new Uint8Array(namespace.length + bytes)
  room.set(namespace)
  return room
}

/** Makes uuids with what Node's `crypto` brings, or without. */
export const naming = (crypto: NodeCrypto | undefined): ((text: string) => string) => {
  const hash = crypto?.hash
  if (hash === undefined) return portable
  const usual = roomFor(roomBytes)
  const behind = usual.subarray(namespace.length)
  return (text) => {
    // A character takes three bytes at most for each of its halves.
    if (text.length * 3 > roomBytes) return portable(text)
    const end = namespace.length + utf8.encodeInto(text, behind).written
    return inForm(hash('sha1', usual.subarray(0, end), 'hex'))
  }
}

/** A hash as a uuid: its version in place of the 13th digit, and of the 17th the variant and two bits. */
const inForm = (hex: string): string => {
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) & 3]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

declare const process:
  | { readonly getBuiltinModule?: (name: 'node:crypto') => NodeCrypto | undefined }
  | undefined

/** The uuid of `text`. */
export const named: (text: string) => string = naming(
  typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:crypto'),
)
