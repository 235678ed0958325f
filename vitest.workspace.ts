/**
 * Every package is a project: `--project core` runs one of them.
 * Tests run on the sources of all packages (the `source` condition of their exports), so that no
 * test passes on a stale build; the programs that tests start run on `dist`, as users do.
 */
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defaultClientConditions, defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

const packages = new URL('packages/', import.meta.url)
const names = readdirSync(packages).filter((name) => existsSync(new URL(`${name}/test`, packages)))

// In the others no file leaves anything to the next: their libraries load once, which takes longer than
// most tests. In these a file stands in for a library, or shared set-up cleans up behind each file.
const isolated = new Set(['adapter-fs', 'adapter-pty', 'drill', 'testkit'])

export default defineConfig({
  resolve: { conditions: ['source', ...defaultClientConditions] },
  ssr: { resolve: { conditions: ['source', ...defaultServerConditions] } },
  test: {
    // Half of the tests wait for real shells, servers and disks: two files a core keep it busy.
    maxWorkers: 2 * availableParallelism(),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: names.map((name) => ({
      extends: true as const,
      root: `packages/${name}`,
      test: { name, include: ['test/**/*.test.ts'], isolate: isolated.has(name) },
    })),
  },
})
