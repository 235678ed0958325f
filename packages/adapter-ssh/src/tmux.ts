/**
 * tmux as what keeps a terminal, through its control mode: there it hands out what the program wrote as
 * it was written, and draws nothing. Pure: the lines it speaks, read and written.
 */

// ------------------------------------------------------------------------------------------ model

export type TmuxToken =
  /** What the program wrote. */
  | { readonly _tag: 'output'; readonly bytes: Buffer }
  /** We are joined with the session. */
  | { readonly _tag: 'joined' }

/** Takes chunks, gives tokens; keeps at most a line in between. */
export type TmuxReader = (chunk: Buffer) => readonly TmuxToken[]

/** What tmux is told before it starts: it is to keep a terminal and do nothing else. */
export const tmuxConfiguration = `set -s exit-empty on
set -s escape-time 0
set -g status off
set -g prefix None
set -g prefix2 None
set -g history-limit 1
set -g remain-on-exit off
set -g destroy-unattached off
set -g set-titles off
`

// ---------------------------------------------------------------------------------------- reading

const lineFeed = 10
const backslash = 92
const outputStart = /^%output %\d+ /
/** What tmux sends in a line is less; a longer one is not its own. */
const lineLimitBytes = 4_194_304

/** A reader of what a tmux in control mode says. */
export const tmuxReaderOf = (): TmuxReader => {
  let held: Buffer = Buffer.alloc(0)
  return (chunk) => {
    const tokens: TmuxToken[] = []
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    let at = 0
    for (;;) {
      const end = held.indexOf(lineFeed, at)
      if (end < 0) break
      const token = tokenIn(held.subarray(at, end))
      if (token !== undefined) tokens.push(token)
      at = end + 1
    }
    held = held.length - at > lineLimitBytes ? Buffer.alloc(0) : held.subarray(at)
    return tokens
  }
}

const tokenIn = (line: Buffer): TmuxToken | undefined => {
  const head = line.subarray(0, 32).toString('latin1')
  if (head.startsWith('%session-changed ')) return { _tag: 'joined' }
  const start = outputStart.exec(head)?.[0].length
  return start === undefined
    ? undefined
    : { _tag: 'output', bytes: unescaped(line.subarray(start)) }
}

// Control characters and backslashes come as a backslash and three octal digits.
const unescaped = (line: Buffer): Buffer => {
  const bytes = Buffer.alloc(line.length)
  let length = 0
  for (let at = 0; at < line.length; at++) {
    const byte = line[at] ?? 0
    if (byte === backslash && at + 3 < line.length) {
      bytes[length++] = Number.parseInt(line.toString('latin1', at + 1, at + 4), 8)
      at += 3
    } else bytes[length++] = byte
  }
  return bytes.subarray(0, length)
}

// ---------------------------------------------------------------------------------------- writing

const bytesPerLine = 512

/** The command lines that type `text`. */
export const tmuxKeys = (text: string): string => {
  const bytes = Buffer.from(text)
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += bytesPerLine) {
    const hex = [...bytes.subarray(at, at + bytesPerLine)].map((byte) => byte.toString(16))
    lines.push(`send-keys -H ${hex.join(' ')}\n`)
  }
  return lines.join('')
}

/** The command line that sets the terminal's size. */
export const tmuxSize = ({
  cols,
  rows,
}: {
  readonly cols: number
  readonly rows: number
}): string => `refresh-client -C ${cols}x${rows}\n`
