/**
 * Everything an app and a driver can say of a session, with secrets in all of it: in one place under a
 * name that tells that it is one, and everywhere else as bare text.
 */
import {
  type Evidence,
  type Failure,
  lost,
  type Receipt,
  receiptOf,
  type SnapshotUpdate,
} from '@session-recovery/core'
import type { Registration } from '@session-recovery/engine'
import { type Chance, chance as chanceOf } from '@session-recovery/testkit'
import type { Secret } from './secret-value.js'

// ------------------------------------------------------------------------------------------ model

/** What is said of one session. */
export interface Saying {
  readonly registration: Registration
  readonly update: SnapshotUpdate
  /** An environment in which the secrets have other values. */
  readonly changed: Readonly<Record<string, string>>
  readonly text: string
  readonly failure: Failure
  readonly evidence: Evidence
  readonly receipt: Receipt
}

/** Where a secret is named as one, when the session is registered. */
const registeredHomes = ['env', 'options', 'state', 'ssh', 'number', 'url', 'argv', 'list'] as const
/** Where in what is said of it later. */
const spokenHomes = ['history', 'error'] as const
/** Where in what a driver sees of a shell. */
const shellHomes = ['shell', 'words', 'alias'] as const

type Home =
  | (typeof registeredHomes)[number]
  | (typeof spokenHomes)[number]
  | (typeof shellHomes)[number]

/** Where only one can be named that needs no quotes. */
const bare: ReadonlySet<Home> = new Set(['argv', 'list', 'history', 'error', 'alias'])

// ----------------------------------------------------------------------------------- constructors

/** @param hasShell whether anything is said of a shell. */
export const sayingOf = (secrets: readonly Secret[], seed: number, hasShell: boolean): Saying => {
  const chance = chanceOf(seed)
  const homes = [...registeredHomes, ...spokenHomes, ...(hasShell ? shellHomes : [])]
  const housed = secrets.map((secret) => ({ secret, home: homeOf(secret, homes, chance) }))
  const text = textOf(housed)
  const evidence: Evidence = {
    source: 'host',
    grade: 'claimed',
    trusted: false,
    detail: text,
    atMs: 0,
  }
  return {
    registration: registrationOf(housed.filter(({ home }) => isRegistered(home))),
    update: updateOf(housed, text, chance),
    changed: Object.fromEntries(
      at(housed, 'env').map(({ name, value }) => [name, `${value.slice(3)}${value.slice(0, 3)}`]),
    ),
    text,
    evidence,
    failure: {
      kind: 'other',
      reason: text,
      interactivity: 'none',
      permanent: false,
      evidence: [evidence],
    },
    receipt: receiptOf(
      'observed',
      {
        cwd: lost(text),
        env: { ...lost(text), origins: { [`X_${secrets[0]?.value}`]: 'host' } },
        jobs: { ...lost(text), unknownCommands: [text], setAside: [text] },
      },
      [evidence],
    ),
  }
}

const isRegistered = (home: Home): boolean => registeredHomes.some((one) => one === home)

const textOf = (housed: readonly Housed[]): string =>
  `it says ${housed.map(({ secret }) => secret.value).join(' and ')}, no more`

interface Housed {
  readonly secret: Secret
  readonly home: Home
}

const homeOf = ({ isPlain, value }: Secret, homes: readonly Home[], chance: Chance): Home => {
  const home = homes[chance.whole(0, homes.length - 1)] ?? 'env'
  if (bare.has(home) && !isPlain) return 'state'
  if (home === 'number') return /^[1-9]\d{0,14}$/.test(value) ? home : 'options'
  return home === 'url' && /[\s/:@]/.test(value) ? 'env' : home
}

const at = (housed: readonly Housed[], home: Home): readonly Secret[] =>
  housed.filter((one) => one.home === home).map(({ secret }) => secret)

const registrationOf = (housed: readonly Housed[]): Registration => {
  const text = textOf(housed)
  const named = (home: Home) =>
    Object.fromEntries(at(housed, home).map(({ name, value }) => [name, value]))
  const values = housed.map(({ secret }) => secret.value)
  const options = at(housed, 'argv').map(({ value }) => `--api-token=${value}`)
  const list = at(housed, 'list').flatMap(({ value }) => ['--password', value])
  const urls = at(housed, 'url').map(({ value }, i) => [`URL_${i}`, `https://user:${value}@host/x`])
  // A name of a variable may hold anything but the sign that ends it.
  const names = values
    .filter((value) => !/[=\0]/.test(value))
    .map((value) => [`X_${value}`, 'in the name'])
  return {
    attended: false,
    rerunnable: true,
    sessionState: {
      nested: [{ deep: named('state') }],
      numbers: at(housed, 'number').map(({ name, value }) => ({ [name]: Number(value) })),
      echoes: values.map((value) => ({ [value]: value, beside: ` ${value} ` })),
      sums: at(housed, 'number').map(({ value }) => Number(value)),
    },
    sessionOptions: {
      command: ['bash', ...options].join(' '),
      args: ['-i', ...list, text],
      cwd: '/srv',
      env: { LANG: 'C', NOTE: text, ...named('env'), ...Object.fromEntries([...urls, ...names]) },
      nested: named('options'),
      hops: at(housed, 'ssh').map(({ value }) => ({ host: 'h', password: value })),
    },
  }
}

/** `text` in pieces cut anywhere, as a terminal delivers it. */
const pieces = (text: string, chance: Chance): string[] => {
  const cut: string[] = []
  let rest = Array.from(text)
  while (rest.length > 0) {
    const length = 1 + chance.whole(0, 11)
    cut.push(rest.slice(0, length).join(''))
    rest = rest.slice(length)
  }
  return cut
}

const updateOf = (housed: readonly Housed[], text: string, chance: Chance): SnapshotUpdate => ({
  commandHistory: [
    'ls',
    `echo ${text}`,
    ...at(housed, 'history').map(({ value }) => `export SOME_TOKEN=${value}`),
  ],
  outputBuffer: pieces(`${text}\n${text}`, chance),
  workingDirectory: `/srv/${text}`,
  errorContext: {
    lastError: [text, ...at(housed, 'error').map(({ value }) => `password: ${value}`)].join('\n'),
    errorTimestamp: new Date(0),
    errorCount: 1,
  },
  interactiveState: {
    isInteractive: true,
    pendingCommands: [text],
    unknownCommands: [text],
    setAside: [text],
    sessionUnresponsive: false,
    timeoutCount: 0,
    promptType: text,
  },
  shell: {
    shell: 'bash',
    variables: {
      NOTE: { attributes: '', value: text },
      WORDS: { attributes: 'a', values: { 0: text } },
      NAMES: { attributes: 'A', values: { [text]: '1' } },
      ...Object.fromEntries(
        at(housed, 'shell').map(({ name, value }) => [name, { attributes: '', value }]),
      ),
      TOKENS: {
        attributes: 'a',
        values: Object.fromEntries(at(housed, 'words').map(({ value }, i) => [String(i), value])),
      },
    },
    functions: { f: `f () \n{ \n    echo ${text}\n}` },
    aliases: {
      l: text,
      ...Object.fromEntries(
        at(housed, 'alias').map(({ value }, i) => [`a${i}`, `login --password ${value}`]),
      ),
    },
    options: {},
    umask: '0022',
    directoryStack: [`/srv/${text}`],
    traps: { EXIT: `echo ${text}` },
    lastExitCode: 0,
    omitted: { functions: [text] },
  },
})
