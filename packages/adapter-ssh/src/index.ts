/** Real remote shells over SSH. */
export {}
