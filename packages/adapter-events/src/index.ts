/** The event side: the event protocol with acknowledgements, and the drop-in class. */
export {}
