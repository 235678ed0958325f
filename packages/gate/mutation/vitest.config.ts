/**
 * The tests that mutants are run against: those of one package (`MUTATED`), on the sources that lie beside
 * them and no others, since what is mutated is a copy of the repository.
 * Left out are tests that start programs, which run what is built, and long random campaigns.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const root = process.cwd()
const name = process.env.MUTATED ?? ''
const leftOut = ['law', 'power', 'kill', 'conformance', 'owner-process', 'mutation']

/** What the runner says of the source that is mutated; nothing where none is. */
interface Mutated {
  /** Its name without an ending. */
  readonly name: string
  /** How many of its mutants run so far each file caught. */
  readonly caughtBy: ReadonlyMap<string, number>
  /** How long the files that are tried took when nothing was mutated. */
  triedMs: number
}
const mutated = (): Mutated | undefined => (globalThis as { readonly mutated?: Mutated }).mutated

/** What share of the time that all files take is spent on one mutant. */
const shareOfAll = 0.1

/** Tests that are about all that is mutated. */
const always: readonly string[] = (process.env.MUTATION_ALWAYS ?? '').split(',')

/** What bears the name of the source, or of the whole it is a part of, is tried in any case. */
const namesakes = (test: string, source: string): boolean =>
  test.startsWith(source) || test.split('-')[0] === source.split('-')[0] || always.includes(test)

/**
 * What is likely to catch a mutant, and soon, comes first: the least time for each one caught. What is left when
 * the time is up is not tried, so that what no test notices costs no more than that.
 */
class LikelyFirst extends BaseSequencer {
  /** How long each file took when nothing was mutated. */
  #durations: Readonly<Record<string, number>> | undefined

  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const source = mutated()
    if (source === undefined) return Promise.resolve(files)
    this.#durations ??= JSON.parse(readFileSync(process.env.MUTATION_DURATIONS ?? '', 'utf8'))
    const durations = this.#durations ?? {}
    const ranked = files
      .map((file) => {
        const takesMs = durations[file.moduleId] ?? 0
        const caught = source.caughtBy.get(file.moduleId) ?? 0
        const isNamesake = namesakes(basename(file.moduleId, '.test.ts'), source.name)
        return { file, takesMs, isNamesake, rank: (takesMs + 20) / (caught + 1) }
      })
      .sort(
        (one, other) => Number(other.isNamesake) - Number(one.isNamesake) || one.rank - other.rank,
      )
    let leftMs = shareOfAll * Object.values(durations).reduce((sum, ms) => sum + ms, 0)
    const tried = ranked.filter(({ takesMs, isNamesake }, i) => {
      const fits = i === 0 || isNamesake || leftMs >= takesMs
      if (fits && !isNamesake) leftMs -= takesMs
      return fits
    })
    source.triedMs = tried.reduce((sum, { takesMs }) => sum + takesMs, 0)
    return Promise.resolve(tried.map(({ file }) => file))
  }
}

export default defineConfig({
  root: `${root}/packages/${name}`,
  resolve: {
    alias: readdirSync(`${root}/packages`).map((other) => ({
      find: `@session-recovery/${other}`,
      replacement: `${root}/packages/${other}/src/index.ts`,
    })),
  },
  test: {
    name,
    include: (process.env.MUTATION_TESTS ?? '*').split(',').map((tests) => `test/${tests}.test.ts`),
    exclude: leftOut.map((test) => `test/${test}.test.ts`),
    isolate: false,
    setupFiles: ['first-failure', 'slow'].map(
      (file) => `${root}/packages/gate/mutation/${file}.ts`,
    ),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: [],
    sequence: { sequencer: LikelyFirst },
  },
})
