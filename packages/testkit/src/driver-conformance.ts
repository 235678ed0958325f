/**
 * The conformance suite of drivers: what every driver owes the engine, as cases that any test runner can
 * run. A case is left out only where the driver declares that it cannot, or where the harness cannot
 * bring the fault about; each case that is left out says why.
 */
import { sceneOf, within } from './conformance/asking.js'
import { cancellationCases } from './conformance/cancellation-case.js'
import { careCases } from './conformance/care-case.js'
import { type Case, inapplicable } from './conformance/case.js'
import { closingCases } from './conformance/closing-case.js'
import { noticeCases } from './conformance/notice-case.js'
import { proofCases } from './conformance/proof-case.js'
import { type Fault, faults, type Harness } from './conformance/rig.js'
import { showingCases } from './conformance/showing-case.js'

export {
  type Fault,
  faults,
  type Harness,
  type Life,
  type Mishap,
  type Noticed,
  type Rig,
  rememberedName,
} from './conformance/rig.js'
export { misdeclared, type ShownAt } from './conformance/showing-case.js'

// ------------------------------------------------------------------------------------------ model

/** One case, ready to be run; it rejects with what the driver did wrong. */
export interface DriverCase {
  readonly name: string
  readonly run: () => Promise<void>
  /** Why the case does not apply to this driver; absent: it does. */
  readonly skipped?: string
}

const defaultPatienceMs = 20_000

const cases: readonly Case[] = [
  ...proofCases,
  ...noticeCases,
  ...cancellationCases,
  ...careCases,
  ...showingCases,
  ...closingCases,
]

// ----------------------------------------------------------------------------------- constructors

/**
 * The cases for one driver, for whoever writes one: a harness makes a rig anew for each case, which holds
 * the driver, opens its sessions, breaks them by the faults it can bring about, and sees what is so without
 * asking the driver. A fault that is left out leaves its cases out. One rig is made, and closed, here, to
 * see what the driver declares.
 *
 * Under any runner that has tests and can skip them:
 *
 *     const cases = await driverCases({ name: 'mine', make: async () => myRig() })
 *     for (const { name, run, skipped } of cases) test(name, { skip: skipped !== undefined }, run)
 */
export const driverCases = async (harness: Harness): Promise<readonly DriverCase[]> => {
  const rig = await harness.make()
  const { supports } = rig.driver
  const possible = new Set<Fault>(faults.filter((fault) => rig.mishaps[fault] !== undefined))
  await rig.close()
  return cases.map((each) => {
    const skipped = inapplicable(each, supports, possible)
    return {
      name: each.name,
      run: () => played(harness, each),
      ...(skipped === undefined ? {} : { skipped }),
    }
  })
}

// ------------------------------------------------------------------------------------ combinators

/** Plays a case on a new rig; whatever it was about, nothing may remain of it. */
const played = async ({ make, patienceMs = defaultPatienceMs }: Harness, { play }: Case) => {
  const rig = await make()
  try {
    await play(sceneOf(rig, patienceMs))
  } finally {
    await within(patienceMs, 'the driver closes', rig.close())
  }
  const left = await rig.remains()
  if (left.length > 0) throw new Error(`left after closing: ${left.join('; ')}`)
}
