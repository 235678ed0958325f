/** The drill: every strategy against every fault, on every shell that is installed and a real sshd. */
export * from './drill.js'
export * from './fault.js'
export * from './play.js'
export * from './row.js'
export * from './run.js'
export * from './selection.js'
export * from './show.js'
export * from './subject.js'
