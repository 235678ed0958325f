/** What the tests of several packages share: arbitraries, virtual time, fault injection. */
export {}
