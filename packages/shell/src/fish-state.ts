/**
 * What fish holds beside its environment: how it is made to tell it, without a fork, and how a new one is
 * made to hold it, without executing any of it.
 *
 * Only what the start-up files did not make, or made otherwise, is told, and of functions none that fish
 * loads by itself when it is called. Aliases of fish are functions; its abbreviations are told as aliases,
 * functions that an event calls as traps, its feature flags as options. Universal variables are kept by
 * fish itself. The text of a function is first read between parentheses, by a fish that executes nothing:
 * text that would break out of the function cannot break out of the parentheses, nor the other way round.
 */
import type { ShellState, ShellVariable } from '@session-recovery/core'
import type { RunningItem } from './integration.js'
import { percentSign } from './percent.js'
import { readToldState } from './told-state.js'

// ---------------------------------------------------------------------------------------- telling

const valueLimit = 65_536
const elementLimit = 4_096
const payloadLimit = 900_000

// Fish counts, sets or follows these itself.
const ownVariables =
  '^(__sr_.*|__fish_.*|_|argv|status|pipestatus|history|hostname|version|FISH_VERSION|fish_pid|umask|EUID|COLUMNS|LINES|PWD|OLDPWD|SHLVL|CMD_DURATION|status_generation|fish_killring|fish_kill_signal|fish_bind_mode|dirstack|HOME|USER|TERM)$'

/** Functions of the init file. */
export const fishTelling = String.raw`
# $argv[1]: an item, $argv[2]: a name, as a word, $argv[3]: the entry that tells it.
function __sr_hold
    set -l __sr_size (string length -- "$argv[3]")
    if test $__sr_size -gt ${4 * valueLimit}; or test (builtin math $__sr_size + $__sr_held_size) -gt ${payloadLimit}
        set -a __sr_held "o $argv[1] $argv[2]"
    else
        set -a __sr_held $argv[3]
        set __sr_held_size (builtin math $__sr_size + $__sr_held_size)
    end
end

# The variables that are not exported, each as the entry that tells it.
function __sr_hold_variables
    set -l IFS \n
    set -l __sr_exported (set -nx)
    set -g __sr_variables
    for __sr_name in (set -ng | string match -rv '${ownVariables}' | string match -r '^[A-Za-z_][A-Za-z0-9_]*$')
        builtin contains -- $__sr_name $__sr_exported; and continue
        set -l __sr_count (builtin count $$__sr_name)
        if test $__sr_count -gt ${elementLimit}
            set -a __sr_variables "o shellVariables $__sr_name"
        else if test $__sr_count -eq 1
            set -a __sr_variables "v $__sr_name - ${percentSign}"(string escape --style=url -- $$__sr_name)
        else
            set -a __sr_variables (string join ' ' -- a $__sr_name - -$__sr_count '${percentSign}'(string escape --style=url -- $$__sr_name) | string collect)
        end
        # A list without values leaves nothing of the line above.
        test $__sr_count -eq 0; and set -a __sr_variables "a $__sr_name - -0"
    end
end

# To ask for a function that has a file of its own would read that file.
function __sr_touch
    for __sr_name in (string match -r -- $__sr_loadable $argv)
        builtin contains -- $__sr_name $__sr_touched; or set -ga __sr_touched $__sr_name
    end
end

# The functions that fish does not load by itself, each as the entry that tells it; of those that it would,
# the ones that a line put something in the place of.
function __sr_hold_functions
    set -l IFS \n
    set -g __sr_functions
    set -g __sr_seen
    for __sr_name in (builtin functions --names --all | string match -rv '^(__sr_|__fish_)' | string match -rv -- $__sr_loadable) $__sr_touched
        set -l __sr_place (builtin functions --details $__sr_name)
        switch $__sr_place
            case n/a
                continue
            case stdin - 'Standard input'
            case '*'
                set -a __sr_seen "$__sr_name $__sr_place"
                # What stands in a file that the start-up read is there again.
                builtin contains -- "$__sr_name $__sr_place" $__sr_places; and continue
                builtin contains -- (string replace -r '/[^/]*$' '' -- $__sr_place) $fish_function_path; and continue
        end
        set -l __sr_text (builtin functions --no-details $__sr_name | string collect)
        set -l __sr_letter f
        string match -qr '^function [^\n]* --on-' -- $__sr_text; and set __sr_letter t
        set -a __sr_functions "$__sr_letter "(__sr_quote $__sr_name)" "(__sr_quote "$__sr_text")
    end
end

# What the start-up files made.
function __sr_remember
    set -l IFS \n
    set -l __sr_names (string replace -r '.*/(.*)\.fish$' '$1' -- $fish_function_path/*.fish | string escape --style=regex)
    set -g __sr_loadable '^(?:'(string join '|' -- $__sr_names)')$'
    __sr_hold_variables
    __sr_hold_functions
    set -g __sr_places $__sr_seen
    set -g __sr_made $__sr_variables $__sr_functions
end

# Fish prints an abbreviation as the command that makes it, in its own quotes.
function __sr_hold_abbreviation
    if test (builtin count $argv) -eq 4; and test "$argv[1..2]" = '-a --'
        set -a __sr_held "l "(__sr_quote "$argv[3]")" "(__sr_quote "$argv[4]")
    else
        set -a __sr_held "o aliases "(__sr_quote "$argv[-2]")
    end
end

# All that is held, when it changed since it was told.
function __sr_tell_held
    set -l IFS \n
    set -g __sr_held
    set -g __sr_held_size 0
    __sr_hold_variables
    __sr_hold_functions
    for __sr_entry in $__sr_variables $__sr_functions
        set -l __sr_parts (string split -m 2 ' ' -- $__sr_entry)
        if builtin contains -- $__sr_entry $__sr_made; and not builtin contains -- "$__sr_parts[2]" $__sr_given_names
            continue
        end
        switch $__sr_parts[1]
            case f
                __sr_hold functions $__sr_parts[2] $__sr_entry
            case t
                __sr_hold traps $__sr_parts[2] $__sr_entry
            case '*'
                __sr_hold shellVariables $__sr_parts[2] $__sr_entry
        end
    end
    for __sr_line in (abbr --show 2>/dev/null | string match -r '^abbr .*')
        builtin eval (string replace -r '^abbr' __sr_hold_abbreviation -- $__sr_line)
    end
    set -a __sr_held (status features | string replace -rf '^(\S+)\s+(on|off)\b.*' 'p $1 $2')
    set -a __sr_held "u $umask"
    for __sr_path in $dirstack
        set -a __sr_held "d "(__sr_quote $__sr_path)
    end
    set -l __sr_payload (string join ' ' -- $__sr_held | string collect)
    if test "$__sr_payload" != "$__sr_told"
        __sr_mark V $__sr_payload
        set -g __sr_told $__sr_payload
    end
end
`

/** Reads what a mark of the kind `shell-state` carries; `undefined` when it is not of fish. */
export const readFishState = (payload: string): ShellState | undefined =>
  readToldState('fish', payload)

/** Whether fish runs what has this name without being asked for it. */
export const fishRunsByItself = (item: RunningItem, name: string): boolean =>
  name.startsWith('__sr_') || (item === 'functions' && /^fish_/.test(name))

// -------------------------------------------------------------------------------------- restoring

/** What makes a new fish hold a state. */
export interface FishRestoration {
  /** A function, to be called once the start-up files were read. */
  readonly restore: string
  /** Files that it reads, by name. */
  readonly files: Readonly<Record<string, string>>
}

export const nothingRestoredInFish: FishRestoration = {
  restore: 'function __sr_restore; end\n',
  files: {},
}

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/

/** `text` as one word that fish reads to the letter. */
export const fishQuoted = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

const words = (texts: readonly string[]): string =>
  texts.map((text) => ` ${fishQuoted(text)}`).join('')

const variableCommand = (name: string, { value, values }: ShellVariable): string => {
  if (!identifier.test(name) || new RegExp(ownVariables).test(name)) return ''
  const given =
    values === undefined
      ? [value ?? '']
      : Object.entries(values)
          .sort(([a], [b]) => Number(a) - Number(b))
          .map(([, one]) => one)
  return `    set -qx ${name}; or set -g ${name}${words(given)}\n`
}

// As fish prints it: names and descriptions in its quotes, and nothing that would begin a command.
const header = /^function((?: (?:[\w.+:=/@%,-]|\\[^\n]|'(?:[^'\\]|\\[\s\S])*')+)+)\n/

/** The files for one function: what is checked, and what defines it. `undefined`: it is no function. */
const functionFiles = (name: string, text: string): readonly [string, string] | undefined => {
  const head = header.exec(text)
  const own = / (\S+)/.exec(head?.[1] ?? '')?.[1]?.replaceAll('\\', '')
  const body = /^([\s\S]*\n|)end\n?$/.exec(text.slice(head?.[0].length ?? 0))?.[1]
  if (head === null || body === undefined || own !== name || name.startsWith('__sr_'))
    return undefined
  return [
    `builtin echo (\n${body}\n)\n`,
    `${head[0]}${body}\nend\n`.replace(/\n\nend\n$/, '\nend\n'),
  ]
}

/** What makes a new fish hold `state`. */
export const fishRestoration = (state: ShellState, directory: string): FishRestoration => {
  const given = Object.entries({ ...state.functions, ...state.traps })
  const pairs = given.flatMap(([name, text]) => {
    const files = functionFiles(name, text)
    return files === undefined ? [] : [files]
  })
  const files = pairs.flatMap(([check, text], i) => [
    [`check-${i}`, check] as const,
    [`function-${i}`, text] as const,
  ])
  const named = [...given.map(([name]) => name), ...Object.keys(state.variables)]
  const place = fishQuoted(directory)
  return {
    files: Object.fromEntries(files),
    restore: `function __sr_restore
    set -g __sr_given_names
    for __sr_name in${words(named)}
        set -a __sr_given_names $__sr_name (__sr_quote $__sr_name)
    end
    __sr_touch${words(given.map(([name]) => name))}
    for __sr_at in${pairs.map((_, i) => ` ${i}`).join('')}
        command $__sr_program --no-config --no-execute ${place}/check-$__sr_at 2>/dev/null; and builtin source ${place}/function-$__sr_at
    end
${Object.entries(state.variables)
  .map(([name, variable]) => variableCommand(name, variable))
  .join('')}${Object.entries(state.aliases)
  .map(([name, text]) => `    abbr --add --${words([name, text])}\n`)
  .join('')}    set -g dirstack${words(state.directoryStack)}
${/^[0-7]{3,4}$/.test(state.umask) ? `    set umask ${state.umask}\n` : ''}end
`,
  }
}
