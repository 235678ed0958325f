/**
 * Leaves out the tests that take seconds: whatever no test notices is tried against all of them, thousands of
 * times. What only they would notice counts as not noticed.
 */
import { beforeEach } from 'vitest'

/** How the names begin. */
const slow: readonly string[] = [
  // Of engine.
  'are the same after a crash with checkpoints at any moment',
  'all are back within twice the cap of the backoff after it heals',
  'while they are let go brings everybody back',
  'is the horizon when every attempt fails at once',
  'ends no later than the horizon when everything hangs',
  // Of adapter-fs.
  'a crash at any step of commits, archives, checkpoints and retention',
  'a last line that is torn anywhere is ignored',
  'commits, snapshots and reads go on while checkpoints are written',
  'a checkpoint that fails at any step leaves a store that goes on',
  'a crash at any step of a checkpoint loses nothing',
  'a crash at any step of an import loses no session',
  'a flipped bit of a sealed line in the log is found',
  'every flipped bit of a sealed archive',
  'nor does a checksum that was made right help',
  'when the disk refuses at any step the archive is restored',
  'commits and checkpoints go on while it reads',
  'what waits is written in groups',
]

beforeEach(({ task, skip }) => {
  if (slow.some((name) => task.name.startsWith(name))) skip()
})
