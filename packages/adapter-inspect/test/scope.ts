/** Inspectors that end with the test that started them. */
import { defaultPolicy } from '@session-recovery/core'
import * as E from 'fp-ts/lib/Either.js'
import { onTestFinished } from 'vitest'
import { type InspectOptions, type Inspector, startInspector } from '../src/index.js'

/** A running inspector on a free port. */
export const inspectorOf = async (options: Partial<InspectOptions> = {}): Promise<Inspector> => {
  const started = await startInspector({ policy: defaultPolicy, ...options })()
  if (E.isLeft(started)) throw new Error(started.left.message)
  onTestFinished(() => started.right.close())
  return started.right
}
