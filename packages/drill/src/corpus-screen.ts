/** The part of the corpus that takes the terminal for itself: editors, pagers, interpreters. */
import { inBash, notInFish, patient, type Situation, stuck, untouched } from './situation.js'

const holder = (name: string, text: string, more: Partial<Situation>): Situation => ({
  name,
  needs: [],
  line: text,
  expected: 'full-screen',
  healthy: true,
  freed: patient,
  ...more,
})

/** Fills the screen. */
export const fullScreenSituations: readonly Situation[] = [
  holder('vim', 'vim -u NONE notes', { needs: ['vim'], runs: /^vim/, shows: /notes/ }),
  holder('vim with unsaved changes', 'vim -u NONE notes', {
    needs: ['vim'],
    runs: /^vim/,
    shows: /notes/,
    keys: 'iprecious',
    showsThen: /precious/,
  }),
  holder('nano', 'nano notes', { needs: ['nano'], runs: /^nano/, shows: /Exit/ }),
  holder(
    'a commit message in vim',
    'git init -q . && EDITOR="vim -u NONE" git commit --allow-empty',
    {
      needs: ['vim', 'git'],
      runs: /^vim/,
      shows: /COMMIT_EDITMSG/,
    },
  ),
  holder('watch', 'watch -n 600 date', { needs: ['watch'], runs: /^watch/, shows: /Every/ }),
  // Its server ends with the client.
  holder('tmux', 'TMUX_TMPDIR=$HOME tmux -f /dev/null new \\; set destroy-unattached on', {
    needs: ['tmux'],
    runs: /^tmux/,
    shows: /\[0\]/,
    moves: true,
  }),
  holder('less +F', 'seq 100 > log; less +F log', {
    needs: ['less'],
    runs: /^less/,
    shows: /Waiting for data/,
    moves: true,
  }),
  holder('a build piped into a pager that fills the screen', '(seq 200; sleep 600) | less', {
    needs: ['less'],
    runs: /^less/,
    shows: /\n:\S*$/,
    ...notInFish,
  }),
  holder('the alternate screen', `printf '\\e[?1049h'; sleep 600`, {
    runs: /^sleep 600$/,
    // The kernel may show the program before what was written ahead of it has been read
    // (an escape, where the line that was typed has an e).
    shows: /[^e]\[\?1049h/,
  }),
]

const page = (name: string, text: string, more: Partial<Situation>): Situation =>
  holder(name, text, { expected: 'pager', ...more })

/** Shows a page and waits for a key. */
export const pagerSituations: readonly Situation[] = [
  page('less', 'less /etc/passwd', { needs: ['less'], runs: /^less/, shows: /passwd\S*$/ }),
  page('less that leaves the screen', 'seq 200 | less -X', {
    needs: ['less'],
    runs: /^less/,
    shows: /\n:\S*$/,
  }),
  page('man', `printf '.TH X 1\\n%s' "$(seq -f '.PP%nline %g' 90)" > x.1; man ./x.1`, {
    needs: ['man', 'less'],
    runs: /pager|less/,
    shows: /Manual page/,
  }),
  page('more', 'seq 200 > long; more long', { needs: ['more'], runs: /^more/, shows: /--More--/ }),
  page("git's pager", gitLog(), {
    needs: ['git', 'less'],
    runs: /pager|less/,
    shows: /:\S*$/,
    ...notInFish,
  }),
]

function gitLog(): string {
  const who = '-c user.name=a -c user.email=a@b'
  return `git init -q . && for i in 1 2 3 4 5 6 7; do git ${who} commit -q --allow-empty -m "$i"; done; git log`
}

const interpreter = (name: string, text: string, more: Partial<Situation>): Situation =>
  holder(name, text, { expected: 'waiting-for-line', ...more })

/** Stands at a prompt of its own, and holds what was entered so far. */
export const interpreterSituations: readonly Situation[] = [
  interpreter('python', 'python3 -q', { needs: ['python3'], shows: />>> $/ }),
  interpreter("python's debugger", `echo x=1 > x.py; python3 -m pdb x.py`, {
    needs: ['python3'],
    shows: /\(Pdb\) $/,
  }),
  interpreter('bc', 'bc -q', { needs: ['bc'], runs: /^bc -q$/ }),
  interpreter('sqlite3', 'sqlite3', { needs: ['sqlite3'], shows: /sqlite> $/ }),
  interpreter('ed', 'echo a > text; ed text', {
    needs: ['ed'],
    runs: /^ed text$/,
    shows: /2\r\n$/,
  }),
]

const shellOnly = {
  needs: [],
  expected: 'at-prompt',
  healthy: true,
  freed: untouched,
} as const

/** The shell at its own prompt, whatever is printed over it. */
export const promptSituations: readonly Situation[] = [
  { ...shellOnly, name: 'the shell, idle' },
  {
    ...shellOnly,
    ...notInFish,
    name: 'a line half typed',
    keys: 'echo half',
    showsThen: /echo half$/,
  },
  {
    ...shellOnly,
    name: 'a job that prints over the prompt',
    line: '(while :; do echo noise; sleep 0.2; done) &',
    shows: /\] \d+[\s\S]*[$#] [\s\S]*noise\r\n/,
    ...inBash,
    moves: true,
  },
  { ...shellOnly, name: 'yes into head', line: 'yes | head -n 3', shows: /y\r\ny\r\ny\r\n/ },
  {
    ...shellOnly,
    name: 'a job that was stopped from the terminal',
    line: 'sleep 600',
    runs: /^sleep 600$/,
    keys: '\x1a',
    showsThen: /Stopped|suspended|stopped/,
  },
  {
    ...shellOnly,
    name: 'a job that was stopped by a signal',
    line: 'sleep 600',
    runs: /^sleep 600$/,
    stops: /^sleep 600$/,
    showsThen: /Stopped|suspended|stopped/,
  },
  {
    ...shellOnly,
    name: 'vim, suspended',
    needs: ['vim'],
    line: 'vim -u NONE notes',
    runs: /^vim/,
    shows: /notes/,
    keys: '\x1a',
    showsThen: /Stopped|suspended|stopped/,
  },
]

/** Held up by a signal, or gone. */
export const stoppedSituations: readonly Situation[] = [
  {
    name: 'the shell, stopped',
    needs: [],
    expected: 'stopped',
    healthy: false,
    stops: 'shell',
    freed: stuck,
  },
  {
    name: 'the shell, stopped while a command runs',
    needs: [],
    line: 'sleep 600',
    runs: /^sleep 600$/,
    expected: 'stopped',
    healthy: false,
    stops: 'shell',
    freed: { byDefault: 'another', late: 'prompt' },
  },
  {
    name: 'a script whose child is stopped',
    needs: [],
    line: `bash -c 'sleep 600; echo'`,
    runs: /^sleep 600$/,
    expected: 'stopped',
    healthy: false,
    stops: /^sleep 600$/,
    freed: { byDefault: 'another', late: 'prompt' },
  },
  { name: 'the shell, killed', needs: [], expected: 'dead', healthy: false, dies: true, freed: {} },
]
