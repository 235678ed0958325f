/** What the tests of this package use of it. */
export { rows } from './catalogue.js'
export { type Note, storyOf } from './ownership-log.js'
export { fight } from './ownership-row.js'
export { hindranceOf, type Played } from './play.js'
export type { Row, Size, Tally, Trial } from './row.js'
export { secretTrial } from './secret-trial.js'
export { formsOf, secretsOf } from './secret-value.js'
export { isKept, remarksOf, statusOf, tableOf } from './show.js'
