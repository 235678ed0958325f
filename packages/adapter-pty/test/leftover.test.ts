/** Sessions whose leaders end together are looked at together, and still told apart. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { loneLook } from '../src/leftover.js'
import { identityOf } from '../src/process.js'
import { numberMark } from '../src/process-number.js'

/** The leader of a session of its own. */
const leaderOf = async (line: string) => {
  const child: ChildProcess = spawn('sh', ['-c', `${line}; echo ready; exec sleep 60`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const born = numberMark(child.pid ?? 0)
  const [said] = await once(child.stdout as NodeJS.ReadableStream, 'data')
  return { child, born, identity: identityOf(child.pid ?? 0), said: String(said) }
}

it('tells which of several leaders left somebody behind', async () => {
  const leaders = await Promise.all([
    leaderOf('true'),
    leaderOf('sleep 60 >/dev/null & echo $!'),
    leaderOf('true'),
  ])
  const left = Number(leaders[1]?.said.split('\n')[0])
  try {
    const gone = leaders.map(({ child }) => once(child, 'exit'))
    for (const { child } of leaders) child.kill('SIGKILL')
    await Promise.all(gone)
    const isLone = loneLook()
    const together = leaders.map(({ identity, born }) => isLone(identity, born))
    expect(await Promise.all(together)).toEqual([true, false, true])
    // Who is left belongs to its own session alone, and can be asked for again.
    expect(readFileSync(`/proc/${left}/comm`, 'utf8')).toBe('sleep\n')
    const [first, second] = leaders
    if (first === undefined || second === undefined) throw new Error('there are three')
    expect(await isLone(second.identity, second.born)).toBe(false)
    process.kill(left, 'SIGKILL')
    await expect.poll(() => isLone(second.identity, second.born), { timeout: 10_000 }).toBe(true)
    expect(await isLone(first.identity, first.born)).toBe(true)
  } finally {
    for (const { child } of leaders) child.kill('SIGKILL')
    try {
      process.kill(left, 'SIGKILL')
    } catch {
      // It is gone, as it is to be.
    }
  }
})
