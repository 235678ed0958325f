/**
 * The examples in docstrings, so that tests can run them: behind `@example`, lines of plain JavaScript; one
 * that ends in `// => value` is an expression and what it must equal.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface DocExample {
  /** The file and the line the example begins at. */
  readonly where: string
  readonly lines: readonly string[]
}

/** One comparison an example makes. */
export interface DocComparison {
  readonly expression: string
  readonly actual: unknown
  readonly expected: unknown
}

const arrow = ' // => '

/** Every example in the sources of a package. */
export const docExamples = async (sourceDirectory: string): Promise<readonly DocExample[]> => {
  const names = await readdir(sourceDirectory)
  const files = names.filter((name) => name.endsWith('.ts')).sort()
  const found = await Promise.all(
    files.map(async (name) =>
      examplesOf(name, await readFile(join(sourceDirectory, name), 'utf8')),
    ),
  )
  return found.flat()
}

const examplesOf = (name: string, source: string): readonly DocExample[] => {
  const examples: { where: string; lines: string[] }[] = []
  let open: string[] | undefined
  for (const [i, line] of source.split('\n').entries()) {
    const said = /^\s*\* ?(.*)$/.exec(line)?.[1]
    if (said === '@example') {
      open = []
      examples.push({ where: `${name}:${i + 1}`, lines: open })
    } else if (said === undefined || said.startsWith('@') || said.startsWith('/') || said === '') {
      open = undefined
    } else open?.push(said)
  }
  return examples
}

/** Runs an example with the package's exports in scope. */
export const runExample = (
  { where, lines }: DocExample,
  scope: Readonly<Record<string, unknown>>,
): readonly DocComparison[] => {
  const names = Object.keys(scope)
  const before: string[] = []
  const comparisons: DocComparison[] = []
  for (const line of lines) {
    const [expression, expected] = line.split(arrow)
    if (expected === undefined) before.push(line)
    else {
      const body = `${before.join('\n')}\nreturn [(${expression}), (${expected})]`
      const [actual, wanted] = new Function(...names, body)(...Object.values(scope))
      comparisons.push({ expression: expression ?? '', actual, expected: wanted })
    }
  }
  if (comparisons.length === 0) throw new Error(`the example at ${where} compares nothing`)
  return comparisons
}
