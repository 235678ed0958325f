/**
 * The commands for a store: `archive` and `quarantine`, what was put away and the way back, and `doctor`,
 * what state a store is in. All but the restoring ones look on, also while an engine has the store open.
 */
import {
  listArchives,
  restoreArchive,
  restoreQuarantined,
  showArchive,
  showQuarantined,
  surveyStore,
} from '@session-recovery/adapter-fs'
import type { Command } from 'commander'
import { map } from 'fp-ts/lib/TaskEither.js'
import { exitStatus } from '../exit-status.js'
import { quoted } from '../plan-text.js'
import { answer, onStore, type StoreOptions, sealingOf, withKeys } from './store-option.js'
import {
  archivesText,
  archiveText,
  quarantineText,
  restoredText,
  surveyText,
} from './store-text.js'

/** Adds `archive` to the program. */
export const addArchiveCommand = (program: Command): void => {
  const archive = program
    .command('archive')
    .summary('list, show and restore archived sessions')
    .description('Sessions that could not be brought back are archived. These commands find them.')
  onStore(archive.command('list').description('list the archives, oldest first')).action(
    async (options: StoreOptions) => {
      await answer(listArchives(options), options, archivesText)
    },
  )
  withKeys(
    onStore(
      archive
        .command('show')
        .argument('<archive>', 'as `archive list` names it')
        .description('show what an archive is of and holds; --json prints all of it'),
    ),
  ).action(async (location: string, options: StoreOptions) => {
    const { directory } = options
    await answer(showArchive({ directory, ...sealingOf(options) }, location), options, archiveText)
  })
  withKeys(
    onStore(
      archive
        .command('restore')
        .argument('<archive>', 'as `archive list` names it')
        .description(
          'register the session of an archive again, with its snapshot: the engine that opens the ' +
            'store next recovers it. Refused while an engine has the store open.',
        ),
    ),
  ).action(async (location: string, options: StoreOptions) => {
    const { directory } = options
    const restored = restoreArchive({ directory, ...sealingOf(options) }, location)
    await answer(restored, options, restoredText)
  })
}

/** Adds `quarantine` to the program. */
export const addQuarantineCommand = (program: Command): void => {
  const quarantine = program
    .command('quarantine')
    .summary('list, show and restore what was set aside')
    .description('What cannot be used is set aside, never thrown away. These commands find it.')
  onStore(quarantine.command('list').description('list what was set aside')).action(
    async (options: StoreOptions) => {
      const listed = map(({ quarantine: files }: StoreSurveyed) => files)(surveyStore(options))
      await answer(listed, options, quarantineText)
    },
  )
  onStore(
    quarantine
      .command('show')
      .argument('<file>', 'as `quarantine list` names it')
      .description('show what was set aside, with control characters escaped'),
  ).action(async (location: string, options: StoreOptions) => {
    const shown = map(({ file, content }: Shown) => ({
      ...file,
      content: content.toString('utf8'),
    }))(showQuarantined(options, location))
    const text = ({ problem, content, ...file }: ShownText) =>
      `${quarantineText([{ problem, ...file }])}${content.split('\n').map(quoted).join('\n')}\n`
    await answer(shown, options, text)
  })
  onStore(
    quarantine
      .command('restore')
      .argument('<file>', 'as `quarantine list` names it')
      .description(
        'put a snapshot file of format 0, once it was mended, back where the next start imports it. ' +
          'Refused while an engine has the store open.',
      ),
  ).action(async (location: string, options: StoreOptions) => {
    const restored = restoreQuarantined(options, location)
    await answer(restored, options, (name) => `${quoted(name)} is imported by the next start.\n`)
  })
}

type Right<A> = A extends () => Promise<infer R> ? Extract<R, { readonly _tag: 'Right' }> : never
type StoreSurveyed = Right<ReturnType<typeof surveyStore>>['right']
type Shown = Right<ReturnType<typeof showQuarantined>>['right']
type ShownText = Shown['file'] & { readonly content: string }

/** Adds `doctor` to the program. */
export const addDoctorCommand = (program: Command): void => {
  onStore(
    program
      .command('doctor')
      .summary('say what state a store is in')
      .description(
        'Looks a store over and changes nothing, also while an engine has it open. Ends with 1 when ' +
          'something is wrong.',
      )
      .option('--scrub', 'read and check every line, also those that no start reads'),
  ).action(async (options: StoreOptions & { readonly scrub?: true }) => {
    const { directory, scrub = false } = options
    const survey = await answer(surveyStore({ directory, scrub }), options, surveyText)
    const isBroken = survey?.findings.some(({ severity }) => severity === 'problem') === true
    if (isBroken) process.exitCode = exitStatus.broken
  })
}
