/** What the driver of sessions in memory declares of itself. */
import { type DriverSupport, showingOf } from '@session-recovery/core'

export const memoryStrategies = [
  'restart',
  'reconnect',
  'restore',
  'replicate',
  'prompt-interrupt',
  'prompt-reset',
  'session-refresh',
  'command-retry',
] as const

// Whoever has its sessions in memory knows without being told.
const shows = showingOf({
  prompt: 'probe',
  commands: 'probe',
  environment: 'probe',
  identity: 'probe',
  foreground: 'probe',
  waiting: 'probe',
  terminalFlags: 'probe',
})

export const memorySupport = {
  strategies: new Set(memoryStrategies),
  capture: true,
  proof: 'observed',
  shows,
} satisfies DriverSupport
