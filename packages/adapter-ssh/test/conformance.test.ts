/** The driver of remote shells owes what every driver owes, where dtach keeps the shells. */
import { conformanceWith } from './conformance-suite.js'

await conformanceWith('dtach')
