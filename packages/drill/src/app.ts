/**
 * An app that holds one session of the drill: a process of its own, with engine and driver, to be killed.
 * It is told the row by its name and where to play it, and tells its parent when the work is done.
 */
import { placeAt } from './place.js'
import { rowNamed } from './selection.js'
import { bringOn, stageAt } from './stage.js'

const [top = '', id = '', subject = '', fault = '', strategy = ''] = process.argv.slice(2)
const row = rowNamed(subject, fault, strategy)
const stage = stageAt(row, placeAt(top, id, row.subject))
const started = await stage.engine.start()
if (started._tag !== 'started') throw new Error(`the engine did not start: ${started._tag}`)
const { pid } = await bringOn(stage)
process.send?.({ pid })
