/** Every row there is, in the order in which they are run. */
import { appendRows } from './append-row.js'
import { boundRow } from './bound-row.js'
import { burstRow } from './burst-row.js'
import { crowdRow } from './crowd-row.js'
import { idleRow } from './idle-row.js'
import { incidentRows } from './incident-row.js'
import { loadRow } from './load-row.js'
import { planRows } from './plan-row.js'
import { reattachmentRow } from './reattachment-row.js'
import { registrationRow } from './registration-row.js'
import { respawnRows } from './respawn-row.js'
import type { Row } from './row.js'
import { stampedeRow } from './stampede-row.js'
import { startRow } from './start-row.js'
import { stepRow } from './step-row.js'

export const rows: readonly Row[] = [
  ...planRows,
  stepRow,
  registrationRow,
  ...incidentRows,
  idleRow,
  ...appendRows,
  burstRow,
  startRow,
  loadRow,
  stampedeRow,
  boundRow,
  ...respawnRows,
  crowdRow,
  reattachmentRow,
]
