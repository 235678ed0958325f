/**
 * The reactions of a session that waits for its domains: it is held, its transport may be tried for all
 * who share a domain with it, and it is let go. No attempt is used meanwhile.
 */
import { openIncidentOf } from './attempt.js'
import { without } from './omission.js'
import { at, type Reaction, tell, withIncident } from './reacting.js'

export const hold: Reaction = (control, event) => {
  const incident = without(openIncidentOf(control), 'dueAtMs', 'attemptDeadlineMs')
  const { number } = incident
  const waiting = { ...incident, token: '', runToken: '', inDoubt: false, heldAtMs: event.atMs }
  const domains = [...(control.traits.domains ?? [])]
  return [
    { ...control, incident: waiting },
    [tell({ _tag: 'session-held', incident: number, domains })],
  ]
}

export const noteProbe = at(['probed'], (control, event) => {
  const { domain, verdict, tries, detail, atMs } = event
  const { number } = openIncidentOf(control)
  return [
    withIncident(control, { probe: { domain, verdict, tries, atMs } }),
    [tell({ _tag: 'transport-probed', incident: number, domain, verdict, tries, detail })],
  ]
})

export const letGo = at(['released'], (control, event) => {
  const { heldAtMs = event.atMs } = openIncidentOf(control)
  const before = without(openIncidentOf(control), 'heldAtMs', 'probe')
  const { order } = event
  const credentialRefused = before.credentialRefused || event.credentialRefused
  const heldMs = Math.max(0, event.atMs - heldAtMs)
  const { number } = before
  return [
    { ...control, incident: { ...before, credentialRefused } },
    [tell({ _tag: 'session-released', incident: number, heldMs, order, credentialRefused })],
  ]
})
