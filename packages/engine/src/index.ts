/** The engine: the machine of a session, its step, and the interpreter that carries effects out. */
export {}
