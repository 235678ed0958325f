/**
 * Every package is a project where one is asked for (`--project core`); without that all are one, so that
 * what they share is read and loaded once, and those that wait for shells leave the cores to those that count.
 * Tests run on the sources of all packages (the `source` condition of their exports), so that no
 * test passes on a stale build; the programs that tests start run on `dist`, as users do.
 */
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defaultClientConditions, defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

const packages = new URL('packages/', import.meta.url)
const names = readdirSync(packages).filter((name) => existsSync(new URL(`${name}/test`, packages)))

// A file that puts something in place of a library has its modules to itself; the others leave nothing to
// the next, and load what they need once for many, which takes longer than most tests.
const standsIn = 'test/**/*.mocked.test.ts'
const mocking = names.filter((name) =>
  readdirSync(new URL(`${name}/test`, packages)).some((file) => file.endsWith('.mocked.test.ts')),
)

const isAskedFor = process.argv.some((argument) => argument.startsWith('--project'))

const project = (name: string) => ({ extends: true as const, root: `packages/${name}` })

const alone = (name: string) => ({
  ...project(name),
  test: { name, include: ['test/**/*.test.ts'], exclude: [standsIn], isolate: false },
})

const together = {
  extends: true as const,
  test: {
    name: 'all',
    include: ['packages/*/test/**/*.test.ts'],
    exclude: [`packages/*/${standsIn}`],
    isolate: false,
  },
}

export default defineConfig({
  resolve: { conditions: ['source', ...defaultClientConditions] },
  ssr: { resolve: { conditions: ['source', ...defaultServerConditions] } },
  test: {
    // Half of the tests wait for real shells, servers and disks: two files a core keep it busy.
    maxWorkers: 2 * availableParallelism(),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // The end of a CI run says why a test failed in one line: `[ Array(1) ]` says nothing.
    chaiConfig: { truncateThreshold: 400 },
    projects: [
      ...(isAskedFor ? names.map(alone) : [together]),
      ...mocking.map((name) => ({
        ...project(name),
        test: { name: `${name}-mocked`, include: [standsIn] },
      })),
    ],
  },
})
