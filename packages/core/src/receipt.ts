/**
 * What a recovery restored, lost or cannot know, item by item: the answer to "what do I have back?".
 */
import * as t from 'io-ts'
import { added, count, dictionary, oneOf, struct } from './codec.js'
import { Evidence, Grade } from './failure.js'

// ------------------------------------------------------------------------------------------ model

export type ItemStatus = 'restored' | 'lost' | 'unknown'

export const ReceiptItem = struct(
  'receipt item',
  {
    status: oneOf<ItemStatus>('item status', 'restored', 'lost', 'unknown'),
    detail: t.string,
  },
  {
    /** Of `env`: where the value of each variable comes from. */
    origins: dictionary('origins', t.string),
    /**
     * Of `jobs`: the commands that were seen starting and not finishing, oldest first. They were not run
     * again; whether they are is for the app to say.
     */
    unknownCommands: t.array(t.string),
    /** Of `jobs`: the lines that stood half typed and were set aside, oldest first. None was run. */
    setAside: t.array(t.string),
  },
)
export type ReceiptItem = t.TypeOf<typeof ReceiptItem>

export const receiptItems = [
  'process',
  'cwd',
  'env',
  'shellVariables',
  'functions',
  'aliases',
  'options',
  'umask',
  'directoryStack',
  'traps',
  'lastExitCode',
  'history',
  'screen',
  'jobs',
] as const
export type ReceiptItemName = (typeof receiptItems)[number]

const unlooked: ReceiptItem = { status: 'unknown', detail: 'nobody looked' }
const Added = added(ReceiptItem, unlooked)

const Items = struct('receipt items', {
  process: ReceiptItem,
  cwd: ReceiptItem,
  env: ReceiptItem,
  shellVariables: ReceiptItem,
  functions: ReceiptItem,
  aliases: Added,
  options: Added,
  umask: Added,
  directoryStack: Added,
  traps: Added,
  lastExitCode: Added,
  history: ReceiptItem,
  screen: ReceiptItem,
  jobs: ReceiptItem,
})

export const Receipt = struct('receipt', {
  grade: Grade,
  items: Items,
  evidence: t.array(Evidence),
  /** Bytes of the snapshot that were put back. */
  restoredBytes: count,
})
export type Receipt = t.TypeOf<typeof Receipt>

// ----------------------------------------------------------------------------------- constructors

/** A receipt about which only the given items are known. */
export const receiptOf = (
  grade: Grade,
  known: Partial<Record<ReceiptItemName, ReceiptItem>>,
  evidence: readonly Evidence[] = [],
  restoredBytes = 0,
): Receipt => ({
  grade,
  items: {
    process: unlooked,
    cwd: unlooked,
    env: unlooked,
    shellVariables: unlooked,
    functions: unlooked,
    aliases: unlooked,
    options: unlooked,
    umask: unlooked,
    directoryStack: unlooked,
    traps: unlooked,
    lastExitCode: unlooked,
    history: unlooked,
    screen: unlooked,
    jobs: unlooked,
    ...known,
  },
  evidence: [...evidence],
  restoredBytes,
})

export const restored = (detail: string): ReceiptItem => ({ status: 'restored', detail })
export const lost = (detail: string): ReceiptItem => ({ status: 'lost', detail })
export const unknown = (detail: string): ReceiptItem => ({ status: 'unknown', detail })
