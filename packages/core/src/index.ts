/** The pure core: what session recovery is about, as types, codecs and functions without effects. */
export {}
