/** Every row there is, in the order in which they are run. */
import { incidentRows } from './incident-row.js'
import { planRows } from './plan-row.js'
import { reattachmentRow } from './reattachment-row.js'
import { registrationRow } from './registration-row.js'
import { respawnRows } from './respawn-row.js'
import type { Row } from './row.js'
import { stepRow } from './step-row.js'

export const rows: readonly Row[] = [
  ...planRows,
  stepRow,
  registrationRow,
  ...incidentRows,
  ...respawnRows,
  reattachmentRow,
]
