/** Benches: what the engine costs, beside the least that could do the same work. */
export * from './bench.js'
export * from './reattachment.js'
export * from './respawn.js'
export * from './spread.js'
