/**
 * Stryker's runner for vitest, with a worker that stays. A run of a mutant otherwise begins with a new
 * process that loads vitest and every library again, which takes a hundred times as long as the tests of one
 * mutant do. A mutant that is switched on while tests run needs nothing loaded again.
 *
 * What a mutant broke could stay behind and fail the tests of the next one, which would count as caught.
 * So whatever fails in a worker that has run before is asked again without a mutant; where it fails
 * still, the worker is given up, and the mutant is run in a new one.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parse, resolve } from 'node:path'
import { PluginKind } from '@stryker-mutator/api/plugin'
import { MutantRunStatus } from '@stryker-mutator/api/test-runner'
import { strykerPlugins as vitestPlugins } from '@stryker-mutator/vitest-runner'
import { ForksPoolWorker } from 'vitest/node'

/** How many runs a worker serves: what it holds on to must not pile up. */
const RUNS_LIMIT = 200
/**
 * How long a run may take beyond twice what its tests took when nothing was mutated. Stryker's own bound is that
 * of all tests together, and it begins with everything anew where it is over.
 */
const ENDLESS_MS = 45_000
const POOL = 'warm'
/** One mutant in so many is run, from which on. */
const [every = 1, first = 0] = (process.env.MUTATION_SAMPLE ?? '1').split('/').map(Number)

/**
 * Those that are to be run again, as `found.mjs` writes them: file and line, kind, replacement; `undefined`: all.
 * @type {ReadonlySet<string> | undefined}
 */
const survivors = process.env.MUTATION_AGAIN
  ? new Set(
      readFileSync(process.env.MUTATION_AGAIN, 'utf8')
        .split('\n')
        .flatMap((line) => /^(?:Survived|NoCoverage)\t(.*)$/.exec(line)?.slice(1) ?? []),
    )
  : undefined

/** @param {import('@stryker-mutator/api/test-runner').MutantRunOptions['activeMutant']} mutant */
const isWanted = ({ id, fileName, location: { start, end }, mutatorName, replacement }) => {
  if (survivors === undefined) return Number(id) % every === first
  const name = fileName.slice(fileName.lastIndexOf('packages/'))
  const where = `${name}:${start.line + 1}:${start.column + 1}-${end.line + 1}:${end.column + 1}`
  return survivors.has([where, mutatorName, JSON.stringify(replacement)].join('\t'))
}

/** The one worker that waits for its next run, and how many it has served. */
class Warmth {
  /** @type {ForksPoolWorker | undefined} */
  worker
  runs = 0
  /** Whether the next run may use the worker and leave it behind. */
  wanted = false

  /** Ends the worker at once, whatever it is at. */
  kill() {
    const worker = this.worker
    this.worker = undefined
    this.runs = 0
    worker?.fork.kill('SIGKILL')
  }

  async end() {
    const worker = this.worker
    this.worker = undefined
    this.runs = 0
    if (worker !== undefined) await ForksPoolWorker.prototype.stop.call(worker)
  }
}

/** A process that outlives the runner it was made for. */
class WarmWorker {
  name = POOL
  cacheFs = true

  /**
   * @param {Warmth} warmth
   * @param {import('vitest/node').PoolOptions} options
   */
  constructor(warmth, options) {
    this.warmth = warmth
    this.options = options
    /** @type {Set<(message: unknown) => void>} */
    this.listeners = new Set()
  }

  async start() {
    const { warmth } = this
    if (!warmth.wanted || warmth.runs >= RUNS_LIMIT) await warmth.end()
    warmth.worker ??= new ForksPoolWorker(this.options)
    warmth.runs += 1
    this.process = warmth.worker
    if (warmth.runs === 1) await this.process.start()
  }

  /**
   * @param {string} event
   * @param {(message: unknown) => void} callback
   */
  on(event, callback) {
    if (event === 'message') this.listeners.add(callback)
    this.process?.on(event, callback)
  }

  /**
   * @param {string} event
   * @param {(message: unknown) => void} callback
   */
  off(event, callback) {
    if (event === 'message') this.listeners.delete(callback)
    this.process?.off(event, callback)
  }

  /** @param {import('vitest/node').WorkerRequest} message */
  send(message) {
    if (message?.type !== 'stop' || !this.warmth.wanted) return this.process?.send(message)
    // The process is told nothing: it waits.
    for (const listener of this.listeners)
      listener({ type: 'stopped', __vitest_worker_response__: true })
  }

  async stop() {
    if (!this.warmth.wanted) await this.warmth.end()
    else for (const listener of this.listeners) this.process?.off('message', listener)
  }

  /** @param {unknown} data */
  deserialize(data) {
    return data
  }
}

/**
 * Which files caught mutants of a source, and how many: those of one source tend to be caught by the same.
 * @type {Map<string, Map<string, number>>}
 */
const caughtOf = new Map()

/** @param {string} source */
const caughtIn = (source) => {
  const known = caughtOf.get(source) ?? new Map()
  caughtOf.set(source, known)
  return known
}

/**
 * @param {Map<string, number>} caughtBy
 * @param {readonly string[]} tests by their ids, a file and a name
 */
const note = (caughtBy, tests) => {
  for (const file of new Set(tests.map((id) => resolve(id.slice(0, id.indexOf('#'))))))
    caughtBy.set(file, (caughtBy.get(file) ?? 0) + 1)
}

/**
 * Writes down how long each file takes: a process that takes the place of one that was given up has not seen it.
 * @param {readonly import('@stryker-mutator/api/test-runner').TestResult[]} tests
 */
const noteDurations = (tests) => {
  /** @type {Record<string, number>} */
  const durations = {}
  for (const { fileName = '', timeSpentMs } of tests)
    durations[fileName] = (durations[fileName] ?? 0) + timeSpentMs
  writeFileSync(process.env.MUTATION_DURATIONS ?? '', JSON.stringify(durations))
}

/** @type {import('@stryker-mutator/api/test-runner').ErrorMutantRunResult} */
const leftOut = { status: MutantRunStatus.Error, errorMessage: 'not in the sample' }

const vitestPlugin = vitestPlugins.find(({ kind }) => kind === PluginKind.TestRunner)

/**
 * @param {import('@stryker-mutator/api/plugin').Injector<import('@stryker-mutator/api/plugin').PluginContext>} injector
 */
const warmRunner = (injector) => {
  const inner = injector.injectFunction(vitestPlugin.factory)
  const warmth = new Warmth()
  /**
   * A file that cannot be loaded has no test that fails.
   * @param {import('@stryker-mutator/api/test-runner').MutantRunOptions} options
   * @returns {Promise<import('@stryker-mutator/api/test-runner').MutantRunResult>}
   */
  const runOnce = async (options) => {
    const startedAtMs = performance.now()
    let isEndless = false
    const watch = setInterval(() => {
      const boundMs = ENDLESS_MS + 2 * (globalThis.mutated?.triedMs ?? 0)
      isEndless = warmth.worker !== undefined && performance.now() - startedAtMs > boundMs
      if (isEndless) clearInterval(watch)
      if (isEndless) warmth.kill()
    }, 500)
    const endless = /** @type {const} */ ({ status: MutantRunStatus.Timeout, reason: 'no end' })
    const result = await inner
      .mutantRun(options)
      .catch((error) => {
        if (isEndless) return endless
        throw error
      })
      .finally(() => clearInterval(watch))
    if (isEndless) return endless
    if (result.status !== 'survived') return result
    const broken = inner.ctx.state.getFiles().find((file) => file.result?.state === 'fail')
    return broken === undefined
      ? result
      : {
          status: MutantRunStatus.Killed,
          failureMessage: broken.result?.errors?.[0]?.message ?? 'not loaded',
          killedBy: [`${broken.filepath}#`],
          nrOfTests: 1,
        }
  }
  /** @param {import('@stryker-mutator/api/test-runner').MutantRunOptions} options */
  const run = async (options) => {
    warmth.wanted = options.mutantActivation === 'runtime'
    const isWarm = warmth.wanted && warmth.worker !== undefined && warmth.runs < RUNS_LIMIT
    const result = await runOnce(options)
    if (result.status === 'error') await warmth.end()
    if (!isWarm || result.status !== 'killed') return result
    const again = await inner.mutantRun({
      ...options,
      testFilter: [result.killedBy].flat(),
      activeMutant: { ...options.activeMutant, id: 'none' },
    })
    if (again.status === 'survived') return result
    await warmth.end()
    return runOnce(options)
  }
  return {
    capabilities: () => inner.capabilities(),
    init: async () => {
      await inner.init()
      for (const { config } of inner.ctx.projects) {
        config.pool = POOL
        config.poolRunner = {
          name: POOL,
          createPoolWorker: (/** @type {import('vitest/node').PoolOptions} */ options) =>
            new WarmWorker(warmth, options),
        }
      }
    },
    /** @param {import('@stryker-mutator/api/test-runner').DryRunOptions} options */
    dryRun: async (options) => {
      warmth.wanted = false
      const result = await inner.dryRun(options)
      if (result.status === 'complete') noteDurations(result.tests)
      return result
    },
    /** @param {import('@stryker-mutator/api/test-runner').MutantRunOptions} options */
    mutantRun: async (options) => {
      if (!isWanted(options.activeMutant)) return leftOut
      const { fileName } = options.activeMutant
      const caughtBy = caughtIn(fileName)
      // The order of the files is chosen by a module that vitest loads by itself.
      Object.assign(globalThis, { mutated: { name: parse(fileName).name, caughtBy, triedMs: 0 } })
      const result = await run(options)
      if (result.status === 'killed') note(caughtBy, [result.killedBy].flat())
      return result
    },
    dispose: async () => {
      await warmth.end()
      await inner.dispose()
    },
  }
}
warmRunner.inject = /** @type {const} */ (['$injector'])

export { strykerValidationSchema } from '@stryker-mutator/vitest-runner'

export const strykerPlugins = [{ kind: PluginKind.TestRunner, name: POOL, factory: warmRunner }]
