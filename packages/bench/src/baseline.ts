/**
 * The seed: the class this project grew out of, where somebody has a module that exports it. The project
 * does not hold it; rows that have no other reference are left out without it.
 */
import type { EventEmitter } from 'node:events'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

// ------------------------------------------------------------------------------------------ model

/** What the rows use of the seed's class, private or not: that is erased where it runs. */
export interface Seed extends EventEmitter {
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
  readonly destroy: () => Promise<void>
  readonly registerSession: (id: string, state: object, options: object) => Promise<void>
  readonly updateSessionSnapshot: (id: string, updates: object) => Promise<void>
  readonly recoverSession: (id: string, reason?: string) => Promise<boolean>
  readonly generateRecoveryPlan: (id: string, reason?: string) => Promise<object>
}

export type SeedClass = new (config?: object) => Seed

const className = 'SessionRecovery'

// ----------------------------------------------------------------------------------- constructors

/**
 * Loads the seed's class from the module at `path`, seen from the working directory.
 *
 * Throws where there is no such module, or it exports no such class.
 */
export const seedFrom = async (path: string): Promise<SeedClass> => {
  const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(resolve(path)).href)
  const found = module[className]
  if (typeof found !== 'function') throw new Error(`${path} exports no class ${className}`)
  return found as SeedClass
}
