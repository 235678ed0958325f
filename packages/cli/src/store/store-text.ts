/** Archives, quarantine and the state of a store, told to a person. What comes from a store is quoted. */
import type {
  ListedArchive,
  QuarantinedFile,
  RestoredSession,
  StoreSurvey,
} from '@session-recovery/adapter-fs'
import type { Archive, Json } from '@session-recovery/core'
import Table from 'cli-table3'
import { quoted } from '../plan-text.js'

// ------------------------------------------------------------------------------------ combinators

const plain = { head: [], border: [] }

const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  const table = new Table({ head: [...head], style: plain })
  for (const row of rows) table.push([...row])
  return `${table.toString()}\n`
}

const when = (ms: number): string => new Date(ms).toISOString()

const size = (bytes: number): string =>
  bytes < 10_000 ? `${bytes} B` : `${(bytes / 1_000).toFixed(0)} kB`

/** The archives of a store. */
export const archivesText = (archives: readonly ListedArchive[]): string =>
  archives.length === 0
    ? 'There are no archives.\n'
    : tableOf(
        ['archive', 'session', 'archived', 'incident', 'snapshot', 'size'],
        archives.map((one) =>
          one._tag === 'unreadable'
            ? [one.location, 'cannot be read', quoted(one.problem), '', '', '']
            : [
                one.location,
                quoted(one.sessionId),
                when(one.atMs),
                `${one.incarnation}.${one.incident}`,
                one.snapshot,
                size(one.bytes),
              ],
        ),
      )

const fieldsOf = (body: Json): Readonly<Record<string, Json | undefined>> =>
  typeof body === 'object' && body !== null && !Array.isArray(body)
    ? (body as Readonly<Record<string, Json>>)
    : {}

const namesOf = (value: Json | undefined): string =>
  value === undefined ? '' : Object.keys(fieldsOf(value)).map(quoted).join(' ')

const lengthOf = (value: Json | undefined): string =>
  Array.isArray(value) ? `${value.length}` : '0'

/** One archive: what it is of, and what of the session it holds; not the values, which --json gives. */
export const archiveText = (archive: Archive): string => {
  const { record, snapshot } = archive
  const body = fieldsOf(snapshot?.body ?? null)
  const end = record.control.lastEnd
  const rows = [
    ['session', quoted(archive.sessionId)],
    ['archived', when(archive.atMs)],
    ['incarnation, incident', `${archive.incarnation}, ${archive.incident}`],
    ['state then', record.state],
    ['ended', end === undefined ? 'unknown' : quoted(JSON.stringify(end))],
    ['snapshot', snapshot === null ? 'none' : `of ${when(snapshot.view.capturedAtMs)}`],
    ['working directory', quoted(String(body.workingDirectory ?? ''))],
    ['environment', namesOf(body.environment)],
    ['commands in its history', lengthOf(body.commandHistory)],
    ['lines of output', lengthOf(body.outputBuffer)],
  ] as const
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, said]) => `${name.padEnd(width)}  ${said}\n`).join('')
}

export const restoredText = ({ sessionId, incarnation, withSnapshot }: RestoredSession): string =>
  `Session ${quoted(sessionId)} is registered again as incarnation ${incarnation}, ` +
  `${withSnapshot ? 'with its snapshot' : 'without a snapshot'}; ` +
  'the engine that opens the store next recovers it.\n'

/** What lies in the quarantine. */
export const quarantineText = (files: readonly QuarantinedFile[]): string =>
  files.length === 0
    ? 'The quarantine is empty.\n'
    : tableOf(
        ['set aside', 'from', 'what is wrong', 'session', 'size'],
        files.map(({ location, source, problem, sessionId, bytes }) => [
          quoted(location),
          quoted(source),
          quoted(problem),
          sessionId === undefined ? '' : quoted(sessionId),
          size(bytes),
        ]),
      )

/** The state of a store. */
export const surveyText = (survey: StoreSurvey): string => {
  const { sessions, scrubbed, segments, archives, quarantine, dropped } = survey
  const states = Object.entries(sessions).map(([state, count]) => `${count} ${state}`)
  const bytes = segments.reduce((sum, one) => sum + one.bytes, 0)
  const facts = [
    ['directory', quoted(survey.directory)],
    ['format', `${survey.formatVersion}, term ${survey.term}`],
    ['owner', survey.owner === 'owned' ? 'an engine that runs' : survey.owner],
    ['log', `${segments.length} segments, ${size(bytes)}`],
    ['sessions', states.length === 0 ? 'none' : states.join(', ')],
    ['snapshots', `${survey.snapshots}`],
    ['archives', `${archives.length}, ${size(archives.reduce((sum, one) => sum + one.bytes, 0))}`],
    [
      'quarantine',
      `${quarantine.length}, ${size(quarantine.reduce((sum, one) => sum + one.bytes, 0))}`,
    ],
    [
      'dropped',
      dropped === undefined
        ? 'unknown'
        : `${dropped.archives} archives, ${size(dropped.archiveBytes)}; ${dropped.quarantined} ` +
          `quarantined, ${size(dropped.quarantinedBytes)}`,
    ],
    [
      'scrub',
      scrubbed === undefined
        ? 'not asked for: bodies and journals were not read (--scrub)'
        : `${scrubbed.lines} lines, ${size(scrubbed.bytes)}, ${scrubbed.archives} archives read`,
    ],
  ] as const
  const width = Math.max(...facts.map(([name]) => name.length))
  const told = survey.findings.map(({ severity, where, what, sessionId }) => {
    const whose = sessionId === undefined ? '' : ` (session ${quoted(sessionId)})`
    return `${severity}: ${quoted(where)}: ${quoted(what)}${whose}\n`
  })
  const problems = survey.findings.filter(({ severity }) => severity === 'problem').length
  const verdict = problems === 0 ? 'Nothing is wrong.' : `Problems: ${problems}.`
  return [
    ...facts.map(([name, said]) => `${name.padEnd(width)}  ${said}\n`),
    ...told,
    `${verdict}\n`,
  ].join('')
}
