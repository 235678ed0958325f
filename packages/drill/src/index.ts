/** The drill: every strategy against every fault, on every shell that is installed and a real sshd. */
export {}
