/**
 * The names by which secrets are known, and the references that stand for them.
 */

// ----------------------------------------------------------------------------------- constructors

const secretName =
  /passw(?:or)?d|passphrase|passcode|(?<!by|com|sur|tres)pass$|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|session[_-]?key|signing[_-]?key|encryption[_-]?key|credential|auth(?:orization)?$|cookie|bearer|jwt|dsn$|_pwd$/i

/** What stands in text where a secret stood. */
export const redactedText = '[secret]'

const referencePrefix = 'session-recovery-secret:'
// ------------------------------------------------------------------------------------ combinators

/**
 * Whether a variable or field of this name holds a secret: by its looks, or because it is declared.
 *
 * @example
 * isSecretName('DB_PASSWORD', []) // => true
 * isSecretName('EDITOR', []) // => false
 * isSecretName('LAUNCH_CODE', ['LAUNCH_CODE']) // => true
 */
export const isSecretName = (name: string, declared: readonly string[]): boolean =>
  declared.includes(name) || secretName.test(name)

/** The reference that stands for the secret at `path` of a session; different paths never share one. */
export const secretReference = (sessionId: string, ...path: readonly string[]): string =>
  referencePrefix + [sessionId, ...path].map(escaped).join('/')

// By code units, since an id or a name may hold half of a surrogate pair.
const escaped = (part: string): string =>
  part.replace(/[^\w.-]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Whether a value is a reference to a secret. */
export const isSecretReference = (value: string): boolean => value.startsWith(referencePrefix)
