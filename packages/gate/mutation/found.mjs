/**
 * Writes down what becomes of each mutant as soon as it is known, one line each: a run takes long, and what
 * survived its first minutes can be looked at while it goes on, or after it was interrupted.
 */
import { appendFileSync, writeFileSync } from 'node:fs'
import { PluginKind } from '@stryker-mutator/api/plugin'

/** @typedef {import('@stryker-mutator/api/core').MutantResult} MutantResult */

/** @param {MutantResult} result */
const lineOf = ({ status, fileName, location: { start, end }, mutatorName, replacement }) => {
  const name = fileName.slice(fileName.indexOf('packages/'))
  const where = `${name}:${start.line}:${start.column}-${end.line}:${end.column}`
  return `${[status, where, mutatorName, JSON.stringify(replacement)].join('\t')}\n`
}

class Found {
  file = process.env.MUTATION_LOG ?? '.mutation/found.tsv'

  onMutationTestingPlanReady() {
    writeFileSync(this.file, '')
  }

  /** @param {MutantResult} result */
  onMutantTested(result) {
    if (result.status !== 'Ignored' && result.status !== 'RuntimeError')
      appendFileSync(this.file, lineOf(result))
  }
}
Found.inject = /** @type {const} */ ([])

export const strykerPlugins = [{ kind: PluginKind.Reporter, name: 'found', injectableClass: Found }]
