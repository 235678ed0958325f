/**
 * What a recovery restored, lost or cannot know, item by item: the answer to "what do I have back?".
 */
import * as t from 'io-ts'
import { count, dictionary, oneOf, struct } from './codec.js'
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
  'history',
  'screen',
  'jobs',
] as const
export type ReceiptItemName = (typeof receiptItems)[number]

const Items = struct('receipt items', {
  process: ReceiptItem,
  cwd: ReceiptItem,
  env: ReceiptItem,
  shellVariables: ReceiptItem,
  functions: ReceiptItem,
  aliases: ReceiptItem,
  options: ReceiptItem,
  umask: ReceiptItem,
  directoryStack: ReceiptItem,
  traps: ReceiptItem,
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

const unknownItem: ReceiptItem = { status: 'unknown', detail: 'nobody looked' }

/** A receipt about which only the given items are known. */
export const receiptOf = (
  grade: Grade,
  known: Partial<Record<ReceiptItemName, ReceiptItem>>,
  evidence: readonly Evidence[] = [],
  restoredBytes = 0,
): Receipt => ({
  grade,
  items: {
    process: unknownItem,
    cwd: unknownItem,
    env: unknownItem,
    shellVariables: unknownItem,
    functions: unknownItem,
    aliases: unknownItem,
    options: unknownItem,
    umask: unknownItem,
    directoryStack: unknownItem,
    traps: unknownItem,
    history: unknownItem,
    screen: unknownItem,
    jobs: unknownItem,
    ...known,
  },
  evidence: [...evidence],
  restoredBytes,
})

export const restored = (detail: string): ReceiptItem => ({ status: 'restored', detail })
export const lost = (detail: string): ReceiptItem => ({ status: 'lost', detail })
export const unknown = (detail: string): ReceiptItem => ({ status: 'unknown', detail })
