/** The driver of real local shells on pseudo-terminals. */
export {}
