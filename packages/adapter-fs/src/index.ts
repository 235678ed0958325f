/** The embedded store: one append-only log in a directory. */
export type { Disk, DiskFile, FileStatus } from './disk.js'
export { realDisk } from './disk.js'
export type { FileStoreOptions } from './option.js'
export type { Owned, Ownership, OwnershipUnprotected, TakeOwnership } from './ownership.js'
export type { SealingOptions } from './sealing.js'
export { fileStore } from './store.js'
