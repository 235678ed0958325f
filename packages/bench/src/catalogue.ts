/** Every row there is, in the order in which they are run. */
import { reattachmentRow } from './reattachment-row.js'
import { respawnRows } from './respawn-row.js'
import type { Row } from './row.js'

export const rows: readonly Row[] = [...respawnRows, reattachmentRow]
