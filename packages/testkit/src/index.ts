/**
 * What the tests of all packages share: values derived from the codecs, properties that can be replayed,
 * virtual time, seeded chance, the conformance suites of drivers and stores, the simulation of the engine
 * over a faulty world, and a real sshd behind a network that fails.
 */
export * from './arbitrary.js'
export * from './campaign.js'
export * from './chance.js'
export * from './conformance/shell-rig.js'
export * from './disk-probe.js'
export * from './docstring.js'
export * from './driver-conformance.js'
export * from './fake-driver.js'
export * from './faulty-store.js'
export * from './free-port.js'
export * from './hosted-store.js'
export * from './hostile-text.js'
export * from './invariant.js'
export * from './memory-disk.js'
export * from './network-proxy.js'
export * from './process-sight.js'
export * from './property.js'
export * from './schedule.js'
export * from './simulation.js'
export * from './sshd.js'
export * from './store-conformance.js'
export * from './store-sample.js'
export { serveStores } from './store-server.js'
export * from './virtual-clock.js'
