/** What the program's exit status means; those from 64 on in the numbers of BSD's `sysexits.h`. */
export const exitStatus = {
  /** What was looked at is not as it should be. */
  broken: 1,
  /** The command line cannot be understood. */
  usage: 64,
  /** Some of the input is not what it should be; the rest was dealt with. */
  badInput: 65,
  /** The input cannot be read. */
  noInput: 66,
  /** The disk refused. */
  ioError: 74,
  /** It cannot be done now: somebody else has the store, or the session lives. */
  notNow: 75,
} as const
