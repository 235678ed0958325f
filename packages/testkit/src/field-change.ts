/** Changes one field of what a line says: to another type, to a value out of bounds, to nothing. */
import type { Chance } from './chance.js'

// ------------------------------------------------------------------------------------------ model

/** A snapshot file of format 0, as the program before this one wrote them. */
export const seedText = JSON.stringify({
  sessionId: 'seed',
  timestamp: '2024-03-01T10:00:00.000Z',
  sessionState: { pid: 42, startedAt: '2024-03-01T09:00:00.000Z' },
  sessionOptions: { command: 'bash', args: ['-l'] },
  environment: { PATH: '/bin', LANG: 'C.UTF-8' },
  workingDirectory: '/home/me',
  commandHistory: ['ls', 'make'],
  outputBuffer: ['some output'],
})

type Container = Record<string, unknown> | unknown[]

const isContainer = (value: unknown): value is Container =>
  typeof value === 'object' && value !== null

const deep = (levels: number): unknown => {
  let inner: unknown = 0
  for (let i = 0; i < levels; i++) inner = [inner]
  return inner
}

/** Names whose value is whose the line is, or which lines count: another value there is another history. */
const telling: ReadonlySet<string> = new Set(['sessionId', 'before', 'term', 'sequence', 'whole'])

// ------------------------------------------------------------------------------------ combinators

/** A copy of `said` with one field changed; `newer`: to say that a later version wrote it. */
export const fieldChanged = (
  said: Readonly<Record<string, unknown>>,
  newer: boolean,
  random: Chance,
): Readonly<Record<string, unknown>> => {
  const copy: Record<string, unknown> = structuredClone(said)
  if (newer) {
    const versions = versionsIn(copy)
    const [holder, key] = versions[random.whole(0, Math.max(0, versions.length - 1))] ?? [copy, 'v']
    holder[key] = random.whole(2, 1_000)
    return copy
  }
  let holder: Container = copy
  let key = ''
  let isTelling = false
  for (let depth = random.whole(1, 6); depth > 0; depth--) {
    const keys = Object.keys(holder)
    if (keys.length === 0) break
    const next = keys[random.whole(0, keys.length - 1)] ?? ''
    isTelling ||= telling.has(next)
    key = next
    const inner: unknown = (holder as Record<string, unknown>)[next]
    if (depth === 1 || !isContainer(inner)) break
    holder = inner
  }
  const values = isTelling
    ? ([deep(3), -1.5, null, true] as const)
    : ([deep(3), deep(2_000), -1, 1.5, 1e300, null, true, 'text', '', {}, undefined] as const)
  ;(holder as Record<string, unknown>)[key] = values[random.whole(0, values.length - 1)]
  return copy
}

/** Where versions stand: of a segment its format, of records and entries theirs. */
const versionsIn = (said: Record<string, unknown>): [Record<string, unknown>, string][] => {
  const found: [Record<string, unknown>, string][] = []
  for (const [kind, path, key] of [
    ['segment', [], 'format'],
    ['commit', ['record'], 'v'],
    ['commit', ['entry'], 'v'],
    ['session', ['record'], 'v'],
    ['entry', [], 'v'],
  ] as const) {
    const holder = path.reduce<unknown>(
      (inner, name) => (isContainer(inner) ? (inner as Record<string, unknown>)[name] : undefined),
      said[kind],
    )
    if (isContainer(holder) && !Array.isArray(holder)) found.push([holder, key])
  }
  return found
}
