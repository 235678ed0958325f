/** The live view: a sink that speaks the protocol of the Stately inspector. */
export {}
