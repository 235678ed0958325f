/** The driver of real shells on hosts that are reached over SSH. */
export { type SshDriver, type SshSession, sshDriver } from './driver.js'
export type {
  SecretSource,
  SshAddress,
  SshCredential,
  SshDriverOptions,
  SshHostKeys,
  SshHostOptions,
  SshKeeper,
  SshOpenOptions,
} from './option.js'
