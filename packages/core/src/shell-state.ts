/**
 * What a shell holds beside its environment, as it told it itself: enough to make a new shell of the
 * same kind the like of the old one. Values are plain text, whatever quotes the shell wrote them in, so
 * that secrets can be found in them; each integration writes them in its own shell's words again.
 */
import * as t from 'io-ts'
import { dictionary, exitStatus, oneOf, struct } from './codec.js'

// ------------------------------------------------------------------------------------------ model

/** The shells that tell their state. */
export type ShellKind = 'bash' | 'zsh' | 'fish'
export const ShellKind = oneOf<ShellKind>('shell kind', 'bash', 'zsh', 'fish')

/** A variable that is not exported: one `value`, or `values` under their indices or keys. */
export const ShellVariable = struct(
  'shell variable',
  {
    /** The shell's own letters for what kind of variable it is (`declare -p` shows them). */
    attributes: t.string,
  },
  { value: t.string, values: dictionary('values', t.string) },
)
export type ShellVariable = t.TypeOf<typeof ShellVariable>

/** The parts of a shell's state, as receipts name them. */
export const shellStateItems = [
  'shellVariables',
  'functions',
  'aliases',
  'options',
  'umask',
  'directoryStack',
  'traps',
  'lastExitCode',
] as const
export type ShellStateItem = (typeof shellStateItems)[number]

export const ShellState = struct(
  'shell state',
  {
    shell: ShellKind,
    variables: dictionary('shell variables', ShellVariable),
    /** Name to source text, as the shell prints it. */
    functions: dictionary('functions', t.string),
    aliases: dictionary('aliases', t.string),
    /** Every option the shell lists, on or off. */
    options: dictionary('options', t.boolean),
    /** In octal digits; empty when it was not told. */
    umask: t.string,
    /** The directories below the current one, the nearest first. */
    directoryStack: t.array(t.string),
    /** Signal or event to command. */
    traps: dictionary('traps', t.string),
    lastExitCode: exitStatus,
  },
  {
    /** By item: the names of what the shell held and could not be captured: too large, or no text. */
    omitted: dictionary('omitted', t.array(t.string)),
  },
)
export type ShellState = t.TypeOf<typeof ShellState>
