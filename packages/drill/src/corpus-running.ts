/** The part of the corpus that works, however silent: none of it may be interrupted by default. */
import { inBash, notInFish, patient, type Situation, untouched } from './situation.js'

const command = (name: string, text: string, more: Partial<Situation>): Situation => ({
  name,
  needs: [],
  line: text,
  expected: 'running',
  healthy: true,
  freed: patient,
  ...more,
})

// Each step is a busy process of its own, as those of a build are.
const build = `sh -c 'while :; do bash -c "for ((i = 0; i < 100000; i++)); do :; done"; done'`

const showing = (name: string, text: string, shows: RegExp): Situation =>
  command(name, `printf '${text}'; sleep 600`, { shows, runs: /^sleep 600$/ })

/** Works, or waits for something that is not the terminal. */
export const runningSituations: readonly Situation[] = [
  command('sleep', 'sleep 600', { runs: /^sleep 600$/ }),
  command('a silent build, computing', build, { runs: /^bash -c for/, moves: true }),
  command('a silent build, waiting', `sh -c 'for step in 1 2 3; do sleep 300; done'`, {
    runs: /^sleep 300$/,
  }),
  command('make', `printf 'all:\\n\\t@sleep 600\\n' > Makefile; make`, {
    needs: ['make'],
    runs: /^sleep 600$/,
  }),
  command('a loop in the shell', 'while :; do :; done', { moves: true, ...notInFish }),
  command('a loop in a program', `sh -c 'while :; do :; done'`, { runs: /^sh -c/, moves: true }),
  command('a job that is waited for', 'sleep 600 & wait', { runs: /^sleep 600$/ }),
  command('tail -f', 'echo last > log; tail -f log', { runs: /^tail -f/, shows: /last/ }),
  command('tail -f in a pipeline', 'echo last > log; tail -f log | grep last', {
    runs: /^grep last$/,
    ...notInFish,
  }),
  command('a server', 'python3 -m http.server --bind 127.0.0.1 0', {
    needs: ['python3'],
    shows: /Serving HTTP/,
  }),
  command('curl at a server that is silent', 'curl -s http://127.0.0.1:$SILENT_PORT/', {
    needs: ['curl'],
    runs: /^curl -s/,
  }),
  command('ssh at a server that is silent', 'ssh -F /dev/null -p $SILENT_PORT 127.0.0.1', {
    needs: ['ssh'],
    runs: /^ssh -F/,
  }),
  command('a lock that is held', 'flock lock -c "sleep 600" & sleep 0.2; flock lock -c "true"', {
    runs: /^flock lock -c true$/,
  }),
  command('a fifo without a writer', 'mkfifo fifo; cat fifo', { runs: /^cat fifo$/ }),
  command('a shell at a fifo', 'mkfifo fifo; bash -c "read x < fifo"', { runs: /^bash -c read x/ }),
  showing('a progress of 94%', 'building: 94%%', /94%$/),
  showing('output that ends in $', 'user@host:~$ ', /\$ $/),
  showing('output that ends in #', 'root@host:/# ', /# $/),
  showing('output that ends in >', '> ', /> $/),
  showing('output that ends in %', 'host%% ', /% $/),
  showing('output that asks for a password', 'Password: ', /Password: $/),
  showing('output that asks yes or no', 'Continue? [y/N] ', /N\] $/),
  command('yes into nothing', 'yes > /dev/null', { runs: /^yes$/, moves: true }),
  command('a pipe that is silent', 'sleep 600 | cat', { runs: /^cat$/ }),
  command('a loop that prints', 'while :; do echo tick; sleep 0.3; done', {
    shows: /tick/,
    runs: /^sleep/,
    moves: true,
    ...notInFish,
  }),
  command('read -t', 'read -t 600 x', { ...notInFish }),
  command('a select with a time-out', selecting('[sys.stdin], [], [], 600'), {
    needs: ['python3'],
    shows: /up/,
    runs: /python3/,
  }),
  command('top', 'top -d 600', { needs: ['top'], runs: /^top/, shows: /PID/ }),
]

function selecting(what: string): string {
  return `python3 -c 'import select, sys, socket; s, t = socket.socketpair(); print("up", flush=True); select.select(${what})'`
}

const unclear = (name: string, text: string, more: Partial<Situation>): Situation =>
  command(name, text, { expected: 'unknown', freed: untouched, ...more })

/** What the kernel shows does not tell what these wait for: they are let be. */
export const unknownSituations: readonly Situation[] = [
  unclear('a server with a console', selecting('[sys.stdin, s], [], []'), {
    needs: ['python3'],
    shows: /up/,
    runs: /python3/,
  }),
  unclear(
    "node's console, with a server",
    `node -i -e 'require("net").createServer().listen(0, "127.0.0.1")'`,
    { needs: ['node'], runs: /^node/, shows: /> .*$/ },
  ),
  unclear("node's console", 'node', { needs: ['node'], runs: /^node$/, shows: /> .*$/ }),
  unclear('a debugger', 'gdb -q', { needs: ['gdb'], shows: /\(gdb\) $/ }),
  unclear('a shell in the shell', 'bash --norc', { runs: /^bash --norc$/, shows: /[$#] $/ }),
  unclear('sh in the shell', 'sh -i', { runs: /^sh -i$/, shows: /sh -i[\s\S]*[$#] $/ }),
  unclear('zsh in the shell', 'zsh -f', { needs: ['zsh'], runs: /^zsh -f$/, shows: /[%#] / }),
  unclear('fish in the shell', 'fish --no-config', {
    needs: ['fish'],
    runs: /^fish/,
    shows: /[>#] /,
    ...notInFish,
  }),
  unclear('a terminal that is recorded', 'script -q /dev/null', {
    needs: ['script'],
    runs: /^script/,
    shows: /script -q[\s\S]*[$#] $/,
  }),
  unclear('a reader that has a time', 'timeout 600 cat', { needs: ['timeout'], runs: /^cat$/ }),
  unclear('a build piped into a pager', '(seq 200; sleep 600) | less -X', {
    needs: ['less'],
    runs: /^less/,
    shows: /\n:\S*$/,
    ...notInFish,
  }),
  unclear('the builtin read -e', 'read -e -p "edit: " x', { shows: /edit: $/, ...inBash }),
]
