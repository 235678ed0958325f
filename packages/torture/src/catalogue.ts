/** Every row there is, in the order in which they are run. */
import { agreementRow } from './agreement-row.js'
import { errnoRow } from './errno-row.js'
import { forbiddenRow } from './forbidden-row.js'
import { fullRow } from './full-row.js'
import { hostileRows } from './hostile-row.js'
import { killAtCallRow } from './kill-at-call-row.js'
import { killRow } from './kill-row.js'
import { mutationRow } from './mutation-row.js'
import { ownershipRow } from './ownership-row.js'
import { plantedRow } from './planted-row.js'
import { powerRows } from './power-row.js'
import type { Row } from './row.js'
import { secretRow } from './secret-row.js'
import { sharedFateRow } from './shared-fate-row.js'
import { simulationRow } from './sim-row.js'
import { stepRow } from './step-row.js'
import { weekRow } from './week-row.js'

export const rows: readonly Row[] = [
  simulationRow,
  agreementRow,
  sharedFateRow,
  weekRow,
  ...powerRows,
  plantedRow,
  fullRow,
  killRow,
  killAtCallRow,
  errnoRow,
  forbiddenRow,
  stepRow,
  ownershipRow,
  mutationRow,
  secretRow,
  ...hostileRows,
]
