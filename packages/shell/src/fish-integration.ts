/**
 * The shell integration for fish: the text of a file made for one process, which fish reads after the
 * user's own configuration.
 *
 * Marks are made by builtins alone, without a fork, by handlers of fish's own events, which leave the
 * user's prompt and handlers as they are: `fish_preexec` gives the line before it runs, `fish_prompt` its
 * end. Values are written percent-encoded: fish reads no notation with escapes for bytes that it writes.
 */
import {
  fishQuoted,
  fishRestoration,
  fishRunsByItself,
  fishTelling,
  nothingRestoredInFish,
  readFishState,
} from './fish-state.js'
import type { IntegrationPlan, ShellIntegration } from './integration.js'
import { asideKey, asideLimit, boundKey, markCode } from './mark.js'
import { percentSign } from './percent.js'

// ----------------------------------------------------------------------------------- constructors

const key = boundKey.replace('\x1b[', '\\e\\[')
const aside = asideKey.replace('\x1b[', '\\e\\[')

const functions = String.raw`
# $argv[1]: the kind of mark, $argv[2]: its payload, of ASCII alone.
function __sr_mark
    set -l __sr_length (string length -- "$argv[2]")
    builtin printf '\e]${markCode};%s;%s;%d;%s;%s\a' $__sr_nonce $argv[1] $__sr_length "$argv[2]" $__sr_nonce >/dev/tty
end

# One word.
function __sr_quote
    string escape --style=url -- "$argv" | string replace -r '^' '${percentSign}'
end

# The exported variables, as words; a name needs no escape.
function __sr_read_state
    set -l IFS \n
    set -l __sr_pairs
    for __sr_name in (set -nx | string match -r '^[A-Za-z_][A-Za-z0-9_]*$')
        set -a __sr_pairs "$__sr_name=$$__sr_name"
    end
    set -g __sr_state (string escape --style=url -- $__sr_pairs | string replace %3D '=${percentSign}' | string join ' ')
end

# $argv[1]: the kind of mark, $argv[2]: the exit code.
function __sr_send
    set -l IFS \n
    __sr_mark $argv[1] "$argv[2] 0 "(__sr_quote $PWD)
    __sr_read_state
    if test "$__sr_state" != "$__sr_sent"
        __sr_mark E $__sr_state
        set -g __sr_sent $__sr_state
    end
    set -q __sr_ran; and __sr_tell_held
    set -e __sr_ran
end

# Whether fish keeps the line out of its history.
function __sr_withheld
    set -q fish_private_mode; or test -z "$argv"; or string match -qr '^\s' -- "$argv"; and return 0
    set -q fish_history; and test -z "$fish_history"; and return 0
    builtin functions --query fish_should_add_to_history
end

# The bound key: arms what was disarmed, says everything again, and answers.
function __sr_key
    set -l __sr_code $status
    begin
        __sr_arm
        set -g __sr_sent
        set -g __sr_told
        set -g __sr_ran
        __sr_send S $__sr_code
        set -g __sr_answers (builtin math $__sr_answers + 1)
        __sr_mark K $__sr_answers
    end 2>/dev/null
end

# The second key: the line that stands half typed is said and taken out of the editor, which reads text
# next, not commands of its own.
function __sr_aside
    begin
        set -l IFS \n
        # The line and a newline behind it.
        set -l __sr_line (builtin commandline -b | string collect -N)
        if test (string length -- "$__sr_line") -le ${asideLimit}
            __sr_mark L (__sr_quote "$__sr_line" | string replace -r '%0A$' '')
            builtin commandline -r -- ''
            string match -q '*_vi_*' -- "$fish_key_bindings"; and set -g fish_bind_mode insert
        end
    end 2>/dev/null
end

function __sr_bind
    for __sr_mode in default insert visual replace replace_one
        builtin bind -M $__sr_mode ${key} __sr_key
        builtin bind -M $__sr_mode ${aside} __sr_aside
    end
end

# Handlers are called in the order in which they were defined.
function __sr_arm
    builtin functions --erase __sr_prompt __sr_shown __sr_started __sr_refused

    # Before each prompt. What fish has of the history so far must be there when it is killed.
    function __sr_prompt --on-event fish_prompt
        set -l __sr_code $status
        begin
            builtin functions --query __sr_shown __sr_started __sr_refused; or __sr_arm
            builtin functions --query __sr_first; and __sr_first
            __sr_bind
            builtin history save
            __sr_send D $__sr_code
        end 2>/dev/null
    end

    # Now the prompt is shown.
    function __sr_shown --on-event fish_prompt
        __sr_mark A '' 2>/dev/null
        builtin functions --query __sr_prompt __sr_started __sr_refused; or __sr_arm
    end

    # A line was entered and begins to run.
    function __sr_started --on-event fish_preexec
        set -l IFS \n
        set -g __sr_ran
        __sr_touch (string match -rag '(?:function|alias|funced|functions\s+-\S+\s+\S+)\s+([^\s;=]+)' -- "$argv") 2>/dev/null
        if __sr_withheld "$argv"
            __sr_mark C ''
        else
            __sr_mark C (__sr_quote "1  $argv")
        end 2>/dev/null
    end

    # A line that fish refuses, and leaves in its editor: nothing runs, and no prompt is shown anew.
    function __sr_refused --on-event fish_posterror
        __sr_send D 127 2>/dev/null
    end

    __sr_bind
end

# What the user's configuration changed of the variables that were given is put back.
function __sr_keep
    while set -q argv[2]
        if not set -qx $argv[1]; or not builtin contains -- $argv[2] "$$argv[1]"
            set -gx $argv[1] $argv[2]
        end
        set -e argv[1..2]
    end
end

# Fish keeps one of equal lines, in one history for all its shells, which is there already on the same
# machine; of a line that is younger than a second it takes notice only when the second is over. What is
# not there is put back where fish can do that. The listing names what is there then.
function __sr_recall
    set -l IFS \n
    set -l __sr_listing
    set -l __sr_at 0
    for __sr_line in $argv
        builtin contains -- $__sr_line $history; or builtin history append -- $__sr_line >/dev/null
    end
    for __sr_try in 1 2 3 4 5 6 7 8 9 10 11
        __sr_remembers $argv; and break
        command sleep 0.1; or break
        builtin history merge
    end
    for __sr_line in $argv
        set __sr_at (builtin math $__sr_at + 1)
        if builtin contains -- $__sr_line $history
            set -a __sr_listing (builtin printf '%5d  %s' $__sr_at $__sr_line | string collect)
        end
    end
    __sr_mark H (__sr_quote (string join -- \n $__sr_listing | string collect))
end

# At the first prompt all start-up files were read, and what fish reads by itself. With the first mark our
# files go.
function __sr_first
    __sr_remember
    __sr_restore
    set -q __sr_lines[1]; and __sr_recall $__sr_lines
    set -e __sr_lines
    builtin functions --erase __sr_first __sr_remember __sr_restore __sr_recall __sr_remembers
end

function __sr_remembers
    for __sr_line in $argv
        builtin contains -- $__sr_line $history; or return 1
    end
end
`.replaceAll('\\${', '${')

const givenOf = ({ kept, environment }: IntegrationPlan): readonly string[] =>
  kept.flatMap((name) => {
    const value = environment[name]
    return value === undefined ? [] : [name, value]
  })

const called = (name: string, words: readonly string[]): string =>
  words.length === 0 ? '' : `${name} ${words.map(fishQuoted).join(' ')} 2>/dev/null\n`

/** What one fish process reads; it holds the nonce and must be readable by its user alone. */
export const fishInitFiles = (
  plan: IntegrationPlan,
  directory: string,
): Readonly<Record<string, string>> => {
  const { nonce, historyLines, state } = plan
  const { restore, files } =
    state === undefined ? nothingRestoredInFish : fishRestoration(state, directory)
  const init = `set -g __sr_nonce ${fishQuoted(nonce)}
set -g __sr_program (status fish-path)
set -g __sr_answers 0
set -g __sr_sent
set -g __sr_told
set -g __sr_given_names
set -g __sr_touched
${state === undefined ? '' : 'set -g __sr_ran\n'}${functions}${fishTelling}${restore}
${called('__sr_keep', givenOf(plan))}functions -e __sr_keep
${called('set -g __sr_lines', historyLines)}__sr_arm
${state === undefined ? '' : `return ${state.lastExitCode}\n`}`
  return { ...files, init }
}

const interactiveArgs: ReadonlySet<string> = new Set([
  '-i',
  '-l',
  '-il',
  '-li',
  '--interactive',
  '--login',
])

/** How fish is made to tell. */
export const fishIntegration: ShellIntegration = {
  kind: 'fish',
  fits: (command, args) =>
    command.split('/').at(-1) === 'fish' && args.every((arg) => interactiveArgs.has(arg)),
  integrate: (plan) => ({
    nonce: plan.nonce,
    files: (directory) => fishInitFiles(plan, directory),
    // Newer versions would ask the terminal what it can do, and wait for an answer that nobody gives.
    args: (directory) => [
      '--features',
      'no-query-term',
      '--init-command',
      `builtin source ${fishQuoted(`${directory}/init`)}`,
    ],
    environment: () => ({}),
  }),
  readState: readFishState,
  runsByItself: fishRunsByItself,
  // How its threads and other fishes wake it.
  isOwnFile: (file) =>
    file === 'anon_inode:[eventfd]' || file.endsWith('/fish_universal_variables.notifier'),
}
