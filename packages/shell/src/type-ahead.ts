/**
 * What was typed ahead: input for which the shell has not shown that it was taken. Where its process ends,
 * it is lost, or whatever ran had read it; either way nobody types it again. It may be a password: how much
 * it was is told, never what.
 */

/** What a session knows of it. */
export interface TypeAhead {
  /** Typed since the shell showed last that it takes a line: bounded, and never stored. */
  ahead: string
  /** The line that `exec` typed last, as long as it was not seen running. */
  typed: string | undefined
}

/** What is lost of it with a process. */
export interface LostInput {
  readonly aheadCharacters: number
  readonly typed: string | undefined
}

const charactersLimit = 65_536

/** More was typed. */
export const typeAhead = (session: TypeAhead, text: string): void => {
  session.ahead = (session.ahead + text).slice(-charactersLimit)
}

/** A line was taken: it is the first of what was typed. */
export const lineTaken = (session: TypeAhead): void => {
  const end = session.ahead.search(/[\r\n]/)
  session.ahead = end < 0 ? '' : session.ahead.slice(end + 1)
}

/** What is lost if the process is given up now. */
export const lostInput = ({ ahead, typed }: TypeAhead): LostInput => ({
  aheadCharacters: ahead.length,
  typed,
})

/** Another process takes its place: what was typed at the one before was told. */
export const forgetInput = (session: TypeAhead): void => {
  session.ahead = ''
  session.typed = undefined
}

/** What was lost as a person reads it. */
export const lostInputText = ({ aheadCharacters, typed }: LostInput): readonly string[] => [
  ...(typed === undefined ? [] : [`typed, not seen to begin, and not typed again: ${typed}`]),
  ...(aheadCharacters === 0
    ? []
    : [`typed and not seen to be taken, lost or read by what ran: ${aheadCharacters} characters`]),
]
