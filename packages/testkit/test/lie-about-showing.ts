/** Lies about what is shown of a session. */
import { type Driver, receiptItems, restored, type Showing } from '@session-recovery/core'
import { aliveOnly, type Lie, verifying } from './lie.js'
import type { MemoryRig } from './memory-rig.js'

const declaring =
  (change: Partial<Showing>) =>
  ({ driver }: MemoryRig): Driver => ({
    ...driver,
    supports: {
      ...driver.supports,
      ...(driver.supports.shows === undefined
        ? {}
        : { shows: { ...driver.supports.shows, ...change } }),
    },
    showing: (sessionId) => {
      const shown = driver.showing?.(sessionId)
      return shown === undefined ? undefined : { ...shown, ...change }
    },
  })

const shownCase = 'what a session is declared to show is shown of it, and nothing else is'
const mostCase =
  'no session is declared to show more than its driver, nor one that nobody knows anything'

export const aboutShowing: readonly Lie[] = [
  {
    lie: 'declares what it does not show',
    caughtBy: shownCase,
    because: /history by mark is not shown/,
    tell: declaring({ history: 'mark' }),
  },
  {
    lie: 'shows what it does not declare',
    caughtBy: shownCase,
    because: /environment is shown, and declared of nobody/,
    tell: declaring({ environment: 'nobody' }),
  },
  {
    lie: 'declares that it does not see what a program waits for, and tells it',
    caughtBy: shownCase,
    because: /what a program waits for is told, and waiting declared of nobody/,
    tell: declaring({ waiting: 'nobody' }),
  },
  {
    lie: 'declares in words of its own',
    caughtBy: shownCase,
    because: /outside the closed union: showing: history/,
    tell: declaring({ history: 'of course' as unknown as 'mark' }),
  },
  {
    lie: 'calls restored what nobody shows',
    caughtBy: 'what nobody shows of a session is not called restored',
    because: /nobody shows directory; called restored: cwd/,
    tell: verifying(
      aliveOnly(({ receipt, ...verdict }) => ({
        ...verdict,
        receipt: {
          ...receipt,
          items: Object.fromEntries(
            receiptItems.map((name) => [name, restored('it says so')]),
          ) as typeof receipt.items,
        },
      })),
    ),
  },
  {
    lie: 'declares more of a session than of itself',
    caughtBy: mostCase,
    because: /shows more than its driver: terminalFlags/,
    tell: ({ driver }) => ({
      ...driver,
      supports: {
        ...driver.supports,
        ...(driver.supports.shows === undefined
          ? {}
          : { shows: { ...driver.supports.shows, terminalFlags: 'nobody' } }),
      },
    }),
  },
  {
    lie: 'declares what it shows of a session that nobody knows',
    caughtBy: mostCase,
    because: /something is shown of what nobody knows/,
    tell: ({ driver }) => ({ ...driver, showing: () => driver.supports.shows }),
  },
]
