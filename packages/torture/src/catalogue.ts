/** Every row there is, in the order in which they are run. */
import type { Row } from './row.js'

export const rows: readonly Row[] = []
