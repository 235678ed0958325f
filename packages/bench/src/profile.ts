/**
 * Where the time of a piece of work goes: the samples of V8's profiler, added up by part.
 */
import { Session } from 'node:inspector/promises'

// Asked in this order; what is not named is the rest.
const parts: readonly (readonly [RegExp, string])[] = [
  [/\/core\/dist\/id\.js|\/uuid\/|node:internal\/crypto/, 'ids and digests'],
  [/\/core\/dist\/(codec|application-json)\.js|\/io-ts\//, 'codecs'],
  [/\/engine\/dist\/free-text\.js|\/core\/dist\/secret/, 'secrets taken out'],
  [/\/core\/dist\/statistic\.js|\/engine\/dist\/ledger\.js/, 'statistics and history'],
  [/\/core\/dist\/|\/engine\/dist\/step\.js/, 'deciding'],
  [/\/xstate\//, 'XState'],
  [/\/engine\/dist\/memory-store\.js/, 'memory store'],
  [/\/engine\/dist\/keeper\.js/, 'snapshots kept'],
  [/\/engine\/dist\/(lane|incident-end)\.js/, 'lanes'],
  [/\/engine\/dist\/interpreter\.js|abort_controller|event_target/, 'effects, and their signals'],
  [/\/engine\/dist\//, 'the rest of the engine'],
  [/^\(garbage collector\)$/, 'garbage collection'],
  [/^\(program\)$|^\(idle\)$|runMicrotasks|^node:/, "V8's and Node's own, with promises"],
]

const rest = 'the rest'

const partOf = ({ functionName, url }: { readonly functionName: string; readonly url: string }) =>
  parts.find(([pattern]) => pattern.test(url === '' ? functionName : url))?.[1] ?? rest

/** Does `work` and says what its time was spent on, the largest part first. */
export const profileOf = async (work: () => Promise<void>): Promise<readonly string[]> => {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.start')
  await work()
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  const spent = new Map<string, number>()
  let whole = 0
  for (const { callFrame, hitCount = 0 } of profile.nodes) {
    const part = partOf(callFrame)
    spent.set(part, (spent.get(part) ?? 0) + hitCount)
    whole += hitCount
  }
  const shares = [...spent]
    .sort(([, a], [, b]) => b - a)
    .map(([part, hits]) => `${part} ${Math.round((hits / whole) * 100)} %`)
  return [`the time is spent on: ${shares.join(', ')}`]
}
