/** The embedded store: one append-only log in a directory. */
export type { ArchiveHead } from './archive.js'
export {
  type ListedArchive,
  listArchives,
  type RestoredSession,
  restoreArchive,
  type SessionLives,
  showArchive,
} from './archive-restore.js'
export type { Disk, DiskFile, FileStatus } from './disk.js'
export { realDisk } from './disk.js'
export type { FileStoreOptions } from './option.js'
export type { Owned, Ownership, OwnershipUnprotected, TakeOwnership } from './ownership.js'
export { type QuarantinedFile, restoreQuarantined, showQuarantined } from './quarantine-list.js'
export type { SealingOptions } from './sealing.js'
export type { Dropped } from './statement.js'
export { type FileStore, fileStore, type ScrubReport } from './store.js'
export { type Finding, type StoreSurvey, type SurveyOptions, surveyStore } from './survey.js'
