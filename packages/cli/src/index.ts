/** The command `session-recovery`, as a library: what each sub-command does. */
export {}
