/**
 * All that is used of Node in this package: a hash is a function of what it is given. Of what else stands in
 * that module the compiler is not told, so that nothing of it can be used.
 */
declare module 'node:crypto' {
  export const hash: (algorithm: 'sha1', data: Uint8Array, encoding: 'hex') => string
}
