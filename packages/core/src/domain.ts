/**
 * The domain: what sessions share and fail together by, such as a host, a credential or any label the app
 * gives. Its record is small: how many wait, how many were let go, and what its last probe found. Who
 * waits is told by the sessions' own records, so that a domain is found again from them after a crash.
 */
import * as t from 'io-ts'
import { backoffDelayMs } from './backoff.js'
import { count, epochMs, oneOf, struct, tagged, text, variant } from './codec.js'
import type { FailureKind } from './failure.js'
import { idOf } from './id.js'
import type { Policy } from './policy.js'

// ------------------------------------------------------------------------------------------ model

/**
 * `closed`: believed well. `probing`: a canary is out, and everybody waits. `open`: the canary did not
 * come back; the next goes when the wait is over. `releasing`: it did, and those who waited go in stages.
 * `refused`: the credential is not taken; nobody asks again until the app says that it is another.
 */
export type DomainStateName = 'closed' | 'probing' | 'open' | 'releasing' | 'refused'

export const domainStateNames: readonly DomainStateName[] = [
  'closed',
  'probing',
  'open',
  'releasing',
  'refused',
]

/** What a canary found: the transport carries, it does not, or the credential was not taken. */
export type ProbeVerdict = 'reachable' | 'unreachable' | 'refused'
export const ProbeVerdict = oneOf<ProbeVerdict>(
  'probe verdict',
  'reachable',
  'unreachable',
  'refused',
)

/** What a canary found of a domain, as the session whose transport was tried keeps it while it waits. */
export const KeptProbe = struct('kept probe', {
  domain: text,
  verdict: ProbeVerdict,
  /** Probes in a row, this one included, that did not come back; 0 when it did. */
  tries: count,
  atMs: epochMs,
})
export type KeptProbe = t.TypeOf<typeof KeptProbe>

export const DomainControl = struct(
  'domain control',
  {
    domain: text,
    /** Sessions that wait for this domain. */
    waiting: count,
    /** Sessions that were let go and whose attempt is not over. */
    inFlight: count,
    /** While releasing: how many may be in flight. */
    window: count,
    /** Attempts in a row that missed. */
    misses: count,
    /** Probes in a row that did not come back. */
    tries: count,
    /** Probes made: what makes each token new. */
    probes: count,
    /** Sessions let go since the domain was last found well. */
    released: count,
  },
  {
    /** The probe that is awaited. */
    token: text,
    /** When the probe is given up, or the next one goes. */
    dueAtMs: epochMs,
    /** When it was last seen to be well. */
    wellAtMs: epochMs,
  },
)
export type DomainControl = t.TypeOf<typeof DomainControl>

export const DomainRecord = struct('domain record', {
  v: t.literal(1),
  /** Counts its decisions, in one life of the engine. */
  rev: count,
  state: oneOf<DomainStateName>('domain state', ...domainStateNames),
  control: DomainControl,
})
export type DomainRecord = t.TypeOf<typeof DomainRecord>

const event = <T extends string, R extends t.Props, O extends t.Props = Record<never, never>>(
  type: T,
  required: R,
  optional?: O,
) => struct(type, { type: t.literal(type), atMs: epochMs, ...required }, optional)

export const DomainEvent = tagged('domain event', 'type', [
  /** The engine started: what it found in its sessions' records. */
  event('found', { inFlight: count }, { probe: KeptProbe }),
  /** A session waits for this domain; `suspected`: what befell it may befall the others. */
  event('waited', { suspected: t.boolean }),
  /** One that waited does so no more, and was not let go. */
  event('left', {}),
  /** One was let go; `waited`: for this domain. */
  event('admitted', { waited: t.boolean }),
  /** The attempt of one that was let go is over. */
  event('settled', { how: oneOf('settlement', 'well', 'missed', 'neither') }),
  event('probed', { token: text, reachable: t.boolean, detail: t.string }),
  /** A deadline of the domain may have passed. */
  event('due', {}),
  /** The credential was refused to somebody. */
  event('refused', {}),
  /** The app says that it is worth trying again. */
  event('renewed', {}),
])
export type DomainEvent = t.TypeOf<typeof DomainEvent>
export type DomainEventType = DomainEvent['type']

export const domainEventTypes: readonly DomainEventType[] = [
  'found',
  'waited',
  'left',
  'admitted',
  'settled',
  'probed',
  'due',
  'refused',
  'renewed',
]

/** What happened to a domain, in words for those who listen. */
export const DomainFact = tagged('domain fact', '_tag', [
  variant('domain-probing', { tries: count }),
  variant('domain-opened', { tries: count, detail: t.string }, { untilMs: epochMs }),
  variant('domain-releasing', { waiting: count }),
  variant('domain-closed', {}),
  variant('domain-refused', { waiting: count }),
  variant('domain-renewed', {}),
])
export type DomainFact = t.TypeOf<typeof DomainFact>

export const DomainEffect = tagged('domain effect', '_tag', [
  /** Try the transport of the session that waits longest. */
  variant('probe', { token: text }, { deadlineMs: epochMs }),
  /** Give up the probe with this token. */
  variant('abort', { token: text }),
  /** Some of those who wait may go: as many as there is room for. */
  variant('admit', {}),
  /** Tell all who wait that the credential is not taken. */
  variant('refuse', {}),
  variant('tell', { fact: DomainFact }),
])
export type DomainEffect = t.TypeOf<typeof DomainEffect>

/** The least wait between two probes, whatever the policy says: probes have no budget that ends them. */
export const leastProbeDelayMs = 1_000

const credentialPrefix = 'credential:'

// ----------------------------------------------------------------------------------- constructors

/** A domain of which nothing is known yet. */
export const freshDomain = (domain: string): DomainRecord => ({
  v: 1,
  rev: 0,
  state: 'closed',
  control: {
    domain,
    waiting: 0,
    inFlight: 0,
    window: 0,
    misses: 0,
    tries: 0,
    probes: 0,
    released: 0,
  },
})

// ------------------------------------------------------------------------------------ combinators

/**
 * Whether a domain is a credential, which can be refused: its name begins with `credential:`.
 *
 * @example
 * isCredentialDomain('credential:me@build') // => true
 * isCredentialDomain('host:build') // => false
 */
export const isCredentialDomain = (domain: string): boolean => domain.startsWith(credentialPrefix)

const ofTransport: ReadonlySet<FailureKind> = new Set<FailureKind>([
  'network',
  'timeout',
  'transport-lost',
  'host-restarted',
])

/** Whether a failure of that kind makes one suspect that the whole domain has failed. */
export const suspects = (domain: string, kind: FailureKind): boolean =>
  isCredentialDomain(domain) ? kind === 'authentication' : ofTransport.has(kind)

/** The same of a session that waits since `sinceMs`: not where the domain was seen to be well meanwhile. */
export const isSuspected = (
  { control }: DomainRecord,
  kind: FailureKind,
  sinceMs: number,
): boolean =>
  suspects(control.domain, kind) && (control.wellAtMs === undefined || control.wellAtMs < sinceMs)

type DomainPolicy = Pick<Policy, 'domain'>

/** How many of those who wait may go now. */
export const domainRoom = ({ state, control }: DomainRecord, { domain }: DomainPolicy): number => {
  const most = Math.floor(domain.concurrency)
  if (state === 'closed') return Math.max(0, most - control.inFlight)
  if (state !== 'releasing') return 0
  return Math.max(0, Math.min(most, control.window) - control.inFlight)
}

/**
 * The wait after the `tries`-th probe that did not come back: as before attempts, and never less than
 * {@link leastProbeDelayMs}.
 */
export const probeDelayMs = (policy: Policy, domain: string, tries: number): number =>
  Math.max(leastProbeDelayMs, backoffDelayMs(policy, tries + 1, { sessionId: domain, incident: 0 }))

/** When the domain wants to be woken next, in engine time. */
export const domainWakeAtMs = ({ control }: DomainRecord): number | undefined => control.dueAtMs

/** What a probe is known by. */
export const probeTokenOf = ({ domain, probes }: DomainControl, atMs: number): string =>
  idOf(domain, 'probe', probes, atMs)

/** Nothing has to be remembered of it but by those it let pass: a fresh one would decide the same. */
export const isForgettable = ({ state, control }: DomainRecord): boolean =>
  state === 'closed' && control.waiting + control.inFlight + control.misses === 0
