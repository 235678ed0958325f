/** A process that holds a file store for the conformance suite, until it is killed. The argument of a place is its directory. */
import { serveStores } from '@session-recovery/testkit/store-server'
import { fileStore } from '../dist/index.js'

serveStores((directory) => fileStore({ directory, limitBytes: 64 << 10 }))
