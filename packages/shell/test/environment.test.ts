/** Of three environments one is made, and of every variable it can be said where it comes from. */
import { defaultPolicy, secretReference } from '@session-recovery/core'
import { holds } from '@session-recovery/testkit'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { canExecute, isVolatile, lostNames, type MergeRule, merged } from '../src/environment.js'

const name = fc.constantFrom(
  ...['A', 'B', 'EDITOR', 'LANG', '__proto__', 'MINE', 'SHLVL', '_', 'PWD'],
  ...['LD_PRELOAD', 'BASH_ENV', 'PROMPT_COMMAND', 'NODE_OPTIONS', 'GIT_SSH_COMMAND', 'PS1'],
  ...['SSH_AUTH_SOCK', 'DISPLAY', 'DBUS_SESSION_BUS_ADDRESS', 'TMUX', 'SSH_AGENT_PID'],
  ...['BASH_FUNC_f%%', 'x[$(kill -9 $$)]', 'a b'],
)
const value = fc.constantFrom('1', '2', '')
const environment = fc
  .array(fc.tuple(name, value))
  .map((entries): Readonly<Record<string, string>> => Object.fromEntries(entries))
const rule = fc
  .record({
    isWhole: fc.boolean(),
    lostNames: fc.uniqueArray(name, { maxLength: 2 }),
    restoredExecutables: fc.uniqueArray(name, { maxLength: 3 }),
    volatileNames: fc.uniqueArray(name, { maxLength: 3 }),
  })
  .map(
    ({ restoredExecutables, volatileNames, ...rest }): MergeRule => ({
      ...rest,
      policy: { restoredExecutables, volatileNames },
    }),
  )
const has = (from: object, key: string): boolean => Object.hasOwn(from, key)
const get = (from: Readonly<Record<string, string>>, key: string): string | undefined =>
  has(from, key) ? from[key] : undefined
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/
const shells = ['SHLVL', '_', 'PWD']

describe('merged environments', () => {
  const every = (check: (at: Case) => void): void =>
    holds(
      fc.property(environment, environment, rule, (before, today, how) => {
        const made = merged(before, today, how)
        for (const key of new Set([...Object.keys(before), ...Object.keys(today)])) {
          const is = get(made.environment, key)
          const origin = get(made.origins, key)
          check({ key, is, origin, before: get(before, key), today: get(today, key), how })
        }
      }),
      2_000,
    )
  interface Case {
    readonly key: string
    readonly is: string | undefined
    readonly origin: string | undefined
    readonly before: string | undefined
    readonly today: string | undefined
    readonly how: MergeRule
  }

  it('hold nothing that neither had, and tell of what they hold where it comes from', () => {
    every(({ key, is, origin, before, today, how }) => {
      if (is !== undefined) expect([before, today]).toContain(is)
      if (is !== undefined && !shells.includes(key)) expect(origin).toBeDefined()
      if (how.lostNames.includes(key)) expect(origin).toBe('lost')
      else if (origin === 'snapshot') expect(is).toBe(before)
      else expect(is === undefined || is === today).toBe(true)
    })
  })

  it('let nothing of the snapshot run by itself that the policy does not name', () => {
    every(({ key, is, origin, before, today, how }) => {
      const isNamed = how.policy.restoredExecutables.includes(key)
      if (!canExecute(key) || how.lostNames.includes(key)) return
      if (!isNamed || !identifier.test(key)) {
        expect(is).toBe(today)
        if (before !== undefined && before !== today) expect(origin).toBe('refused')
      } else if (before !== undefined && !isVolatile(key, how.policy.volatileNames)) {
        expect([is, origin]).toEqual([before, 'snapshot'])
      }
    })
  })

  it('have of what belongs to a moment what today has, and say what is past', () => {
    every(({ key, is, origin, before, today, how }) => {
      const isMomentary = isVolatile(key, how.policy.volatileNames)
      if (!isMomentary || canExecute(key) || !identifier.test(key) || shells.includes(key)) return
      expect(is).toBe(today)
      if (how.lostNames.includes(key)) return
      expect(origin).toBe(
        today !== undefined ? 'host' : before === undefined ? undefined : 'volatile',
      )
    })
  })

  it('else have what the snapshot has, and what it lacks where it is not whole', () => {
    every(({ key, is, before, today, how }) => {
      const isOther =
        canExecute(key) ||
        isVolatile(key, how.policy.volatileNames) ||
        how.lostNames.includes(key) ||
        shells.includes(key) ||
        !identifier.test(key)
      if (!isOther) expect(is).toBe(before ?? (how.isWhole ? undefined : today))
    })
  })
})

const whole: MergeRule = { isWhole: true, lostNames: [], policy: defaultPolicy }

describe('what can run code', () => {
  it.each([
    ...['LD_PRELOAD', 'LD_LIBRARY_PATH', 'LD_AUDIT', 'DYLD_INSERT_LIBRARIES', 'GCONV_PATH'],
    ...['BASH_ENV', 'ENV', 'PROMPT_COMMAND', 'PS0', 'PS1', 'PS4', 'BASH_FUNC_f', 'MAILPATH'],
    ...['SHELLOPTS', 'BASHOPTS', 'BASH_LOADABLES_PATH', 'INPUTRC', 'ZDOTDIR', 'FPATH', 'fpath'],
    ...['MODULE_PATH', 'module_path', 'PROMPT', 'RPROMPT', 'RPS1', 'NULLCMD', 'fish_function_path'],
    ...['XDG_CONFIG_HOME', 'XDG_CONFIG_DIRS', 'XDG_DATA_DIRS', 'XDG_DATA_HOME'],
    ...['GIT_CONFIG_COUNT', 'GIT_CONFIG_KEY_0', 'GIT_CONFIG_GLOBAL', 'GIT_SSH', 'GIT_SSH_COMMAND'],
    ...[
      'GIT_DIR',
      'GIT_WORK_TREE',
      'GIT_EXEC_PATH',
      'GIT_EXTERNAL_DIFF',
      'GIT_ASKPASS',
      'GIT_TRACE',
    ],
    ...['GIT_COMMON_DIR', 'GIT_TEMPLATE_DIR', 'GIT_EDITOR', 'GIT_PAGER', 'GIT_PROXY_COMMAND'],
    ...['GIT_ALLOW_PROTOCOL', 'GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES'],
    ...['LESS', 'LESSOPEN', 'LESSCLOSE', 'LESSKEY', 'LESSKEYIN', 'LESSKEY_SYSTEM', 'LESSECHO'],
    ...['MAKEFLAGS', 'GNUMAKEFLAGS', 'MAKEFILES', 'TAR_OPTIONS', 'RIPGREP_CONFIG_PATH'],
    ...['PYTHONPATH', 'PYTHONSTARTUP', 'PYTHONHOME', 'PYTHONBREAKPOINT', 'PYTHONINSPECT'],
    ...['PYTHONWARNINGS', 'PYTHONUSERBASE', 'PYTHONEXECUTABLE', 'PYTHONPYCACHEPREFIX'],
    ...[
      'PERL5OPT',
      'PERL5LIB',
      'PERLLIB',
      'PERL5DB',
      'PERL5SHELL',
      'RUBYOPT',
      'RUBYLIB',
      'GEM_PATH',
    ],
    ...['NODE_OPTIONS', 'NODE_PATH', 'npm_config_script_shell', 'NPM_CONFIG_USERCONFIG'],
    ...['JAVA_TOOL_OPTIONS', '_JAVA_OPTIONS', 'JDK_JAVA_OPTIONS', 'CLASSPATH', 'MAVEN_OPTS'],
    ...['LUA_INIT', 'LUA_INIT_5_4', 'LUA_PATH', 'LUA_CPATH', 'PHPRC', 'PHP_INI_SCAN_DIR'],
    ...['JULIA_LOAD_PATH', 'JULIA_DEPOT_PATH', 'R_PROFILE_USER', 'DOTNET_STARTUP_HOOKS'],
    ...['GOFLAGS', 'GOENV', 'RUSTFLAGS', 'RUSTC', 'RUSTC_WRAPPER', 'RUSTC_WORKSPACE_WRAPPER'],
    ...['VIMINIT', 'GVIMINIT', 'EXINIT', 'MYVIMRC', 'SCREENRC', 'FZF_DEFAULT_COMMAND'],
    ...['RSYNC_RSH', 'CVS_RSH', 'SVN_SSH', 'SSH_ASKPASS', 'SUDO_ASKPASS', 'HGRCPATH'],
    ...['OPENSSL_CONF', 'OPENSSL_MODULES', 'OPENSSL_ENGINES', 'GTK_MODULES', 'GIO_EXTRA_MODULES'],
  ])('%s of the snapshot is refused', (executing) => {
    const made = merged({ [executing]: 'past' }, {}, whole)
    expect(made.environment).toEqual({})
    expect(made.refused).toEqual({ [executing]: 'past' })
    expect(made.origins).toEqual({ [executing]: 'refused' })
    const over = merged({ [executing]: 'past' }, { [executing]: 'today' }, whole)
    expect(over.environment).toEqual({ [executing]: 'today' })
    expect(over.refused).toEqual({ [executing]: 'past' })
  })

  it.each([
    ...['PATH', 'EDITOR', 'VISUAL', 'PAGER', 'MANPAGER', 'BROWSER', 'TERMINFO', 'HISTFILE', 'LANG'],
    ...['GIT_AUTHOR_NAME', 'GIT_AUTHOR_EMAIL', 'GIT_COMMITTER_DATE', 'GIT_TERMINAL_PROMPT'],
    ...['PYTHONUNBUFFERED', 'NODE_ENV', 'JAVA_HOME', 'GOPATH', 'LESSCHARSET', 'LESSHISTFILE'],
    ...['XDG_CACHE_HOME', 'VIRTUAL_ENV', 'KUBECONFIG', 'MY_GIT_SSH', 'BUILD'],
  ])('%s of the snapshot is brought back', (plain) => {
    const made = merged({ [plain]: 'past' }, { [plain]: 'today' }, whole)
    expect(made.environment).toEqual({ [plain]: 'past' })
    expect(made.refused).toEqual({})
  })

  it('is not chosen by the home of the snapshot where today has one, unless the policy says so', () => {
    const [past, today] = [{ HOME: '/past' }, { HOME: '/today' }]
    expect(merged(past, today, whole)).toMatchObject({
      environment: today,
      origins: { HOME: 'host' },
    })
    expect(merged(past, {}, whole)).toMatchObject({
      environment: past,
      origins: { HOME: 'snapshot' },
    })
    const policy = { ...defaultPolicy, restoredExecutables: ['HOME'] }
    expect(merged(past, today, { ...whole, policy }).environment).toEqual(past)
  })
})

test.each([
  ...['SSH_AUTH_SOCK', 'DISPLAY', 'XAUTHORITY', 'WAYLAND_DISPLAY', 'DBUS_SESSION_BUS_ADDRESS'],
  ...['XDG_RUNTIME_DIR', 'XDG_SESSION_ID', 'TMUX', 'TMUX_PANE', 'STY', 'GPG_AGENT_PID'],
  ...['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY', 'WINDOWID', 'INVOCATION_ID', 'JOURNAL_STREAM'],
])('%s belongs to a moment', (momentary) => {
  expect(isVolatile(momentary, [])).toBe(true)
})

test.each(['PATH', 'XDG_CONFIG_HOME', 'LANG', 'EDITOR', 'PIDS'])('%s does not', (lasting) => {
  expect(isVolatile(lasting, defaultPolicy.volatileNames)).toBe(false)
  expect(isVolatile(lasting, [lasting])).toBe(true)
})

test('the variables of lost secrets are told once each, wherever they stood', () => {
  const references = [
    secretReference('s', 'env', 'TOKEN'),
    secretReference('s', 'shell', 'variables', 'keys', 'a/b'),
    secretReference('s', 'shell', 'variables', 'keys', 'c'),
    secretReference('t', 'env', 'OTHER'),
    secretReference('s', 'options', 'env', 'X'),
  ]
  expect(lostNames('s', references)).toEqual(['TOKEN'])
  expect(lostNames('s', references, ['shell', 'variables'])).toEqual(['keys'])
})
