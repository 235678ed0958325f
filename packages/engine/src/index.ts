/**
 * The state machine of session recovery, and the engine that runs many sessions through it.
 */
export * from './domain-machine.js'
export * from './domain-step.js'
export * from './engine.js'
export * from './face.js'
export * from './machine.js'
export * from './memory-secrets.js'
export * from './memory-store.js'
export { firstSnapshot } from './registration.js'
export * from './replay.js'
export * from './step.js'
export * from './system-clock.js'
export * from './table.js'
