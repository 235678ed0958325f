/**
 * A trace as a file: what has to be given to `simulate` to see a run again, and what it broke when it was
 * kept. Traces of bugs that were fixed are played again by the tests, for ever.
 */
import { count, type DecodeError, decode, Policy, struct, text } from '@session-recovery/core'
import type * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { type Action, actionNames } from './action.js'
import { faultKinds, storeKinds } from './fault.js'
import type { SimulationOptions } from './simulation-option.js'

// ------------------------------------------------------------------------------------------ model

const member = <K extends string>(name: string, members: readonly K[]): t.Type<K, K, unknown> => {
  const is = (u: unknown): u is K => members.includes(u as K)
  return new t.Type<K, K, unknown>(
    name,
    is,
    (u, c) => (is(u) ? t.success(u) : t.failure(u, c)),
    t.identity,
  )
}

export const Trace = struct(
  'trace',
  {
    v: t.literal(1),
    /** What it broke. */
    broke: t.array(text),
    seed: count,
    sessions: count,
    store: member('store', storeKinds),
    faults: t.array(member('fault', faultKinds)),
    actions: t.array(
      struct('action', {
        name: member('action', actionNames),
        session: count,
        amount: t.number,
        seed: count,
      }),
    ),
  },
  { policy: t.partial(Policy.required), rollFrom: count },
)
export type Trace = t.TypeOf<typeof Trace>

// ------------------------------------------------------------------------------------ combinators

/** The trace that `options`, with their actions, are. */
export const traceOf = (
  { seed, sessions = 3, store = 'disk', faults = [], policy, rollFrom }: SimulationOptions,
  actions: readonly Action[],
  broke: readonly string[],
): Trace => ({
  v: 1,
  broke: [...broke],
  seed,
  sessions,
  store,
  faults: [...faults],
  actions: [...actions],
  ...(policy === undefined ? {} : { policy }),
  ...(rollFrom === undefined ? {} : { rollFrom }),
})

/** What to give to `simulate` to play it again. */
export const replayOf = ({
  v: _,
  broke: _broke,
  actions,
  ...options
}: Trace): SimulationOptions => ({
  ...options,
  events: actions,
})

/** Reads what was kept in a file, once it is parsed. */
export const traceIn = (parsed: unknown): E.Either<DecodeError, Trace> =>
  decode(Trace, 'trace')(parsed)
