/** Commands are run again as the policy says, to the millisecond and to the number, and no more. */
import { defaultPolicy, type Policy, retryDelayMs } from '@session-recovery/core'
import { holdsAsync } from '@session-recovery/testkit'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { type Ending, requestFor, scriptedShell } from './scripted-shell.js'

const line = 'make it so'
const never: Ending = { code: 0, takesMs: 10_000_000 }

/** A shell that died while `line` ran. */
const withUnknown = async () => {
  const made = scriptedShell()
  const opened = made.passing(made.driver.open('a', { command: 'bash', cwd: '/', env: {} })())
  const session = await opened
  if (E.isLeft(session)) throw new Error(session.left.message)
  made.script.endings.push(never)
  session.right.write(`${line}\r`)
  await made.time.advance(5)
  made.die()
  return { ...made, session: session.right }
}

const anyRetry: fc.Arbitrary<Policy['commandRetry']> = fc.record({
  maxRetries: fc.nat(4),
  baseDelayMs: fc.nat(3_000),
  backoffMultiplier: fc.double({ min: 1, max: 3, noNaN: true }),
  maxDelayMs: fc.nat(5_000),
  timeoutPerCommandMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2_000 })),
  idempotentCommands: fc.constantFrom([], [line], ['another', line]),
})
const anyEnding: fc.Arbitrary<Ending> = fc.record({
  code: fc.constantFrom(0, 1, 2, 255),
  takesMs: fc.nat(3_000),
})

describe('command-retry', () => {
  it('runs what is declared, until code 0, as often, as long and as far apart as the policy says', async () => {
    await holdsAsync(
      fc.asyncProperty(
        anyRetry,
        fc.array(anyEnding, { minLength: 5, maxLength: 5 }),
        fc.boolean(),
        async (commandRetry, endings, isDeclared) => {
          const made = await withUnknown()
          made.script.endings.push(...endings)
          const policy = { ...defaultPolicy, commandRetry }
          const { traits } = requestFor({})
          const idempotentCommands = isDeclared ? [line] : []
          const request = requestFor({ policy, traits: { ...traits, idempotentCommands } })
          const outcome = await made.passing(made.driver.run(request)())
          const mayRun = isDeclared || commandRetry.idempotentCommands.includes(line)
          const { timeoutPerCommandMs: boundMs, maxRetries } = commandRetry
          const isLate = ({ takesMs }: Ending) => boundMs > 0 && takesMs > boundMs
          const succeedsAt = endings.findIndex((one) => one.code === 0 && !isLate(one))
          const wanted = mayRun ? Math.min(maxRetries, succeedsAt < 0 ? 5 : succeedsAt + 1) : 0
          const runs = made.entered.slice(1)
          expect(runs.map((run) => run.line)).toEqual(Array.from({ length: wanted }, () => line))
          const isDone = mayRun && succeedsAt >= 0 && succeedsAt < maxRetries
          const tag = isDone ? 'done' : mayRun && maxRetries > 0 ? 'failed' : 'not-applicable'
          expect(outcome).toMatchObject({ right: { _tag: tag } })
          const told = JSON.stringify(outcome)
          expect(made.session.unknownCommands(), told).toEqual(isDone ? [] : [line])
          for (const [i, run] of runs.entries()) {
            const ending = endings[i] ?? never
            const tookMs = (run.endedMs ?? Number.NaN) - run.beganMs
            expect(tookMs).toBeGreaterThanOrEqual(
              Math.min(boundMs || never.takesMs, ending.takesMs) - 1e-6,
            )
            expect(tookMs).toBeLessThan((isLate(ending) ? boundMs : ending.takesMs) + 2)
            const next = runs[i + 1]
            const waitedMs = (next?.beganMs ?? 0) - (run.endedMs ?? 0)
            if (next === undefined) continue
            const delayMs = retryDelayMs(i + 1, policy)
            // Of one that was interrupted it is seen first that the prompt is back.
            if (isLate(ending)) expect(waitedMs).toBeGreaterThanOrEqual(delayMs - 1e-6)
            else expect(waitedMs).toBeCloseTo(delayMs, 6)
            expect(waitedMs).toBeLessThan(delayMs + 100)
          }
        },
      ),
      60,
    )
  }, 60_000)

  it('waits between its tries within the bounds of the policy, and never less than before', () => {
    fc.assert(
      fc.property(anyRetry, fc.integer({ min: 1, max: 50 }), (commandRetry, tries) => {
        const delayMs = retryDelayMs(tries, { commandRetry })
        expect(delayMs).toBeLessThanOrEqual(commandRetry.maxDelayMs)
        expect(delayMs).toBeGreaterThanOrEqual(
          Math.min(commandRetry.baseDelayMs, commandRetry.maxDelayMs),
        )
        expect(retryDelayMs(tries + 1, { commandRetry })).toBeGreaterThanOrEqual(delayMs)
      }),
    )
  })
})

describe('session-refresh', () => {
  it('waits for an answer as long as the policy says, and falls back to a restart if it says so', async () => {
    await holdsAsync(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20_000 }),
        fc.boolean(),
        fc.boolean(),
        async (timeoutMs, fallbackToRestart, answers) => {
          const made = scriptedShell()
          await made.passing(made.driver.open('a', { command: 'bash', cwd: '/', env: {} })())
          made.script.answers = answers
          const policy = { ...defaultPolicy, refresh: { timeoutMs, fallbackToRestart } }
          const request = requestFor({ strategy: 'session-refresh', policy })
          const fromMs = made.time.nowMs
          const outcome = await made.passing(made.driver.run(request)())
          expect(made.script.pressed).toBe(1)
          const isBack = answers || fallbackToRestart
          expect(outcome).toMatchObject({ right: { _tag: isBack ? 'done' : 'failed' } })
          expect(made.starts()).toBe(!answers && fallbackToRestart ? 2 : 1)
          const tookMs = made.time.nowMs - fromMs
          if (!answers) expect(tookMs).toBeGreaterThanOrEqual(timeoutMs)
          expect(tookMs).toBeLessThan((answers ? 0 : timeoutMs) + 100)
        },
      ),
      60,
    )
  }, 60_000)
})
