/**
 * Cases about the end: what a driver was doing when it is closed leaves nothing behind. After every case
 * the suite looks for what remains, so these only have to get the driver into a state.
 */
import { eventually, must } from './asking.js'
import type { Case } from './case.js'

// ----------------------------------------------------------------------------------- constructors

export const closingCases: readonly Case[] = [
  {
    name: 'closing ends every session, whatever it does',
    play: async ({ rig }) => {
      await rig.open('idle')
      await rig.open('busy')
      await rig.begin('busy')
      await rig.open('hung')
      await rig.mishaps.hang?.strike('hung')
      must((await rig.processes()).length > 0, 'the rig sees no process where three sessions are')
      await rig.close()
      const left = await rig.remains()
      must(left.length === 0, `left after closing: ${left.join('; ')}`)
    },
  },
  {
    name: 'slow-cancel: closing ends what is just being started',
    strategies: ['restart'],
    faults: ['slow-cancel'],
    play: async (scene) => {
      const { rig } = scene
      await rig.open('a')
      const snapshot = await scene.snapshot('a')
      const before = await rig.processes()
      await rig.mishaps['slow-cancel']?.strike('a')
      const running = scene.run('a', 'restart', { snapshot }).catch(() => undefined)
      await eventually(scene, 'something is being started', async () =>
        (await rig.processes()).some((each) => !before.includes(each)),
      )
      await rig.close()
      await running
      const left = await rig.remains()
      must(left.length === 0, `left after closing: ${left.join('; ')}`)
    },
  },
]
