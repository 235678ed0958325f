/** A secret in a session's environment is shown to nobody else on its host, and lies on no disk there. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { processesNaming } from '@session-recovery/testkit'
import { afterEach, describe, expect } from 'vitest'
import {
  cleared,
  eventually,
  markName,
  type Rig,
  rigOf,
  type Station,
  stationOf,
  testWith,
} from './rig.js'

let station: Station
let rig: Rig

afterEach(() => cleared(station, rig))

const read = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

// What anybody can see of the processes there are.
const shown = (): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => read(`/proc/${pid}/cmdline`))

const directories = (): readonly string[] =>
  ['/dev/shm', '/tmp'].flatMap((place) =>
    readdirSync(place)
      .filter((name) => name.startsWith('session-recovery-'))
      .map((name) => join(place, name)),
  )

const holding = (secret: string): readonly string[] =>
  directories().flatMap((directory) => {
    try {
      return (
        readdirSync(directory)
          .map((name) => join(directory, name))
          // Whoever reads a pipe waits for who writes it: other sessions of this machine have such.
          .filter((file) => statSync(file).isFile() && read(file).includes(secret))
      )
    } catch {
      return []
    }
  })

describe.each(['none', 'dtach', 'tmux'] as const)('with %s', (keeper) => {
  testWith(
    keeper === 'none' ? ['dash'] : [keeper, 'dash'],
    `a program without marks begins with a secret that only it can read (${keeper})`,
    async () => {
      station = await stationOf()
      rig = await rigOf({ stations: [station], hosts: [station.declared({ keeper })] })
      const secret = `hunter2-${process.pid}-${keeper}`
      const env = { TERM: 'xterm-256color', [markName]: station.home, SECRET: secret }
      let isOpen = false
      let looks = 0
      const seen: string[] = []
      const looking = async () => {
        while (!isOpen) {
          looks += 1
          seen.push(...shown().filter((line) => line.includes(secret)))
          await new Promise((resolve) => setImmediate(resolve))
        }
      }
      const looked = looking()
      const session = await rig.open('a', { command: 'dash', env }).finally(() => {
        isOpen = true
      })
      await looked
      expect(looks).toBeGreaterThan(0)
      expect(seen).toEqual([])
      await eventually('dash has the secret', () =>
        processesNaming(`SECRET=${secret}`).includes(String(session.pid())) ? true : undefined,
      )
      expect(holding(secret)).toEqual([])
    },
  )
})
