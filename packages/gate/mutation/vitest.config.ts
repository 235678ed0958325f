/**
 * The tests that mutants are run against: those of one package (`MUTATED`), on the sources that lie beside
 * them and no others, since what is mutated is a copy of the repository.
 * Left out are tests that start programs, which run what is built, and long random campaigns.
 */
import { readdirSync } from 'node:fs'
import { relative } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const root = process.cwd()
const name = process.env.MUTATED ?? ''
const leftOut = ['law', 'power', 'kill', 'conformance', 'owner-process', 'mutation']

/** How many of the mutants run so far each file caught, of those of the source that is mutated now. */
const caught = (): ReadonlyMap<string, number> =>
  (globalThis as { readonly caughtBy?: ReadonlyMap<string, number> }).caughtBy ?? new Map()

/** What is likely to catch a mutant, and soon, comes first: the least time for each one caught. */
class LikelyFirst extends BaseSequencer {
  // A run of some of a file's tests takes less than the file does.
  readonly #longestMs = new Map<string, number>()

  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const known = caught()
    const rankOf = ({ moduleId }: TestSpecification) => {
      const key = `${name}:${relative(this.ctx.config.root, moduleId)}`
      const lastMs = this.ctx.cache.getFileTestResults(key)?.duration ?? 0
      const longestMs = Math.max(lastMs, this.#longestMs.get(key) ?? 0)
      this.#longestMs.set(key, longestMs)
      return (longestMs + 20) / ((known.get(moduleId) ?? 0) + 1)
    }
    const ranked = files.map((file) => [rankOf(file), file] as const)
    return Promise.resolve(ranked.sort(([one], [other]) => one - other).map(([, file]) => file))
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
    include: ['test/**/*.test.ts'],
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
