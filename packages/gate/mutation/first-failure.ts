/** A mutant is caught by the first counterexample: the smallest one would only take longer to find. */
import fc from 'fast-check'

fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true })
