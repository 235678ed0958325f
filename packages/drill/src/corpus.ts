/**
 * The corpus: real programs and situations by which the classifier of foregrounds is judged. Among them
 * are all that look like what they are not.
 */
import { runningSituations, unknownSituations } from './corpus-running.js'
import {
  fullScreenSituations,
  interpreterSituations,
  pagerSituations,
  promptSituations,
  stoppedSituations,
} from './corpus-screen.js'
import { waitingForLine, waitingForPassword } from './corpus-waiting.js'
import type { Situation } from './situation.js'

/** Every situation there is. */
export const corpus: readonly Situation[] = [
  ...promptSituations,
  ...runningSituations,
  ...waitingForLine,
  ...waitingForPassword,
  ...interpreterSituations,
  ...fullScreenSituations,
  ...pagerSituations,
  ...stoppedSituations,
  ...unknownSituations,
]
