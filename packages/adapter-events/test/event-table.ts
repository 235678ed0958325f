/** Reads the tables of docs/event.md. */
import { readFileSync } from 'node:fs'

const page = readFileSync(new URL('../../../docs/event.md', import.meta.url), 'utf8')

/** The cells of each row of the table behind `<!-- name -->`. */
export const tableOf = (name: string): readonly (readonly string[])[] => {
  const [, behind = ''] = page.split(`<!-- ${name} -->\n`)
  const lines = behind.split('\n')
  const end = lines.findIndex((line) => !line.startsWith('|'))
  const rows = lines.slice(2, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
  if (rows.length === 0) throw new Error(`docs/event.md has no table of ${name}`)
  return rows
}

/** The names in code font in a cell. */
export const namesIn = (cell = ''): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, name]) => name ?? [])
