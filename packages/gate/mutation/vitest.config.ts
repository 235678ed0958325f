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

/** What takes the least time comes first: most mutants are caught by it. */
class ShortestFirst extends BaseSequencer {
  // A run of some of a file's tests takes less than the file does.
  readonly #longestMs = new Map<string, number>()

  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const durationMs = ({ moduleId }: TestSpecification) => {
      const key = `${name}:${relative(this.ctx.config.root, moduleId)}`
      const lastMs = this.ctx.cache.getFileTestResults(key)?.duration ?? 0
      const longestMs = Math.max(lastMs, this.#longestMs.get(key) ?? 0)
      this.#longestMs.set(key, longestMs)
      return longestMs
    }
    const timed = files.map((file) => [durationMs(file), file] as const)
    return Promise.resolve(timed.sort(([one], [other]) => one - other).map(([, file]) => file))
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
    setupFiles: [`${root}/packages/gate/mutation/first-failure.ts`],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: [],
    sequence: { sequencer: ShortestFirst },
  },
})
