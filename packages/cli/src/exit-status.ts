/** What the program's exit status means, in the numbers of BSD's `sysexits.h`. */
export const exitStatus = {
  /** The command line cannot be understood. */
  usage: 64,
  /** Some of the input is not what it should be; the rest was dealt with. */
  badInput: 65,
  /** The input cannot be read. */
  noInput: 66,
} as const
