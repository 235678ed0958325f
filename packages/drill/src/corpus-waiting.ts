/** The part of the corpus that waits for somebody: for a line, or for a password. */
import { inBash, notInFish, type Situation, stuck } from './situation.js'

const line = (
  name: string,
  text: string,
  more: Partial<Situation> & { readonly shows?: RegExp; readonly runs?: RegExp },
): Situation => ({
  name,
  needs: [],
  line: text,
  expected: 'waiting-for-line',
  healthy: false,
  freed: stuck,
  ...more,
})

const password = (name: string, text: string, more: Partial<Situation>): Situation =>
  line(name, text, { expected: 'waiting-for-password', ...more })

const asNobody = 'setpriv --reuid=65534 --regid=65534 --clear-groups'
const ssh =
  'ssh -F /dev/null -o UserKnownHostsFile=/dev/null -o PubkeyAuthentication=no -p $SSH_PORT'

/** Waits for a line. */
export const waitingForLine: readonly Situation[] = [
  line('the builtin read', 'read x', { ...notInFish }),
  line('read -p', 'read -p "name? " x', { shows: /name\? $/, ...inBash }),
  line('select', 'select x in a b; do break; done', { shows: /#\? $/, ...inBash }),
  line('cat', 'cat', { runs: /^cat$/ }),
  line('a pipeline that reads', 'cat | sort', { runs: /^cat$/ }),
  line('a substitution that reads', 'x=$(cat)', { runs: /^cat$/, ...notInFish }),
  line('a script that reads', `bash -c 'read -p "sure? " x; echo'`, { shows: /sure\? $/ }),
  line('a script of sh that reads', `sh -c 'printf "sure? "; read x'`, { shows: /sure\? $/ }),
  line('a child that reads', `bash -c 'cat >/dev/null; echo done'`, { runs: /^cat$/ }),
  line('an unclosed quote', 'echo "never ends', { shows: /> \S*$/, ...notInFish }),
  line('a heredoc', 'cat <<END', { shows: /> \S*$/, ...notInFish }),
  line('a loop without its end', 'for i in 1 2; do', { shows: /> \S*$/, ...notInFish }),
  line('dd from the terminal', 'dd if=/dev/tty of=/dev/null bs=1 count=5', { runs: /^dd / }),
  line('rm -i', 'touch file; rm -i file', { shows: /file.*\? $/ }),
  line('xargs -p', 'echo a | xargs -p echo', { shows: /\?\.\.\.$/, ...notInFish }),
  line("python's input()", `python3 -c 'input("answer? ")'`, {
    needs: ['python3'],
    shows: /answer\? $/,
  }),
  line('perl', `perl -e 'print "line? "; $| = 1; print ""; my $x = <STDIN>'`, {
    needs: ['perl'],
    shows: /line\? $/,
  }),
  line('the question for a host key', `${ssh} -o StrictHostKeyChecking=ask 127.0.0.1`, {
    needs: ['ssh', 'sshd'],
    shows: /\(yes\/no\/\[fingerprint\]\)\? $/,
  }),
  line('what ignores ^C', `bash -c 'trap "" INT; cat'`, { runs: /^cat$/ }),
  line('cat in a shell in the shell', 'bash --norc', {
    runs: /^bash --norc$/,
    shows: /[$#] $/,
    keys: 'cat\r',
    showsThen: /cat\r\n/,
    freed: { byDefault: 'another', late: 'another' },
  }),
]

/** Waits for a password: a line that is not shown. */
export const waitingForPassword: readonly Situation[] = [
  password('read -s', 'read -s -p "Password: " x', {
    shows: /Password: $/,
    ...inBash,
  }),
  password('a script that reads a password', `bash -c 'read -s -p "PIN: " x'`, { shows: /PIN: $/ }),
  password('cat without echo', 'stty -echo; cat', { runs: /^cat$/ }),
  password("python's getpass", `python3 -c 'import getpass; getpass.getpass()'`, {
    needs: ['python3'],
    shows: /Password: $/,
  }),
  password('ssh-keygen', 'ssh-keygen -q -t ed25519 -f key', {
    needs: ['ssh-keygen'],
    shows: /passphrase.*: $/,
  }),
  password('openssl', 'openssl enc -aes-256-cbc -pbkdf2 -in /etc/passwd -out sealed', {
    needs: ['openssl'],
    shows: /password:\s*$/,
  }),
  password("ssh's password prompt", `${ssh} -o StrictHostKeyChecking=no 127.0.0.1`, {
    needs: ['ssh', 'sshd'],
    shows: /password: $/,
  }),
  password('sudo', `${asNobody} sudo -k true`, {
    needs: ['sudo', 'setpriv'],
    shows: /password for .*: $/,
    rootOnly: true,
  }),
  password('su', `${asNobody} su root -c true`, {
    needs: ['su', 'setpriv'],
    shows: /Password: $/,
    rootOnly: true,
  }),
]
