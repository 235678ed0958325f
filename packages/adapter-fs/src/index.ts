/** The embedded store: one append-only log in a directory. */
export {}
