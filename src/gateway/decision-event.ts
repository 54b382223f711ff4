/** The one audit event of a request's decision, as a plain value: it is serialised in batches, off the path. */
import type { AuditCredential, AuditEntry, AuditIdentity } from '../ports/audit-log.ts'
import type { CredentialFacts, Identity } from '../engine/identity.ts'
import type { Refusal } from '../engine/outcome.ts'
import type { ConnectionFacts } from '../exchange.ts'
import type { ExchangeState } from './exchange-state.ts'
import type { Stage } from './stage.ts'

export function decisionEvent(
  exchange: ExchangeState,
  type: Stage['type'],
  refusal: Refusal | undefined,
): AuditEntry {
  const { request, server, route, identity, report, client } = exchange
  const { tls, address } = server.connection
  const isRead = client !== undefined
  // One literal, absent members undefined: this runs for every request.
  return {
    time: server.receivedAt,
    type,
    outcome: refusal !== undefined ? 'refuse' : report !== undefined ? 'would-refuse' : 'allow',
    reason: refusal?.reason ?? report?.reason,
    code: refusal?.code,
    detail: refusal?.detail,
    requestId: exchange.id,
    traceId: exchange.traceparent?.slice(3, 35),
    route: route?.id,
    method: server.method,
    host: isRead ? request.host : undefined,
    path: isRead ? request.path : undefined,
    clientIp: client?.clientIp ?? address,
    tls: tls === undefined ? undefined : tlsOf(tls),
    authenticator: identity?.method ?? exchange.judgedBy,
    credential: credentialOf(exchange),
    identity: identity === undefined ? undefined : identityOf(exchange, identity),
    durationMs: Math.round(exchange.decisionMs * 1000) / 1000,
    report,
    data: identity === undefined ? undefined : dataOf(exchange, identity),
  }
}

/** Of the connection, and whose certificate came with it. */
export function tlsOf({
  version,
  cipher,
  certificate,
}: NonNullable<ConnectionFacts['tls']>): NonNullable<AuditEntry['tls']> {
  return certificate === undefined
    ? { version, cipher }
    : { version, cipher, certificate: certificate.fingerprint }
}

/** What the event says besides: what was dropped on the way to the backend, and what was shown beside the first credential. */
function dataOf(exchange: ExchangeState, identity: Identity): AuditEntry['data'] {
  const dropped = droppedOf(exchange, identity)
  if (exchange.proofs.length < 2) return dropped
  const { audit } = exchange.snapshot.services
  const beside = exchange.proofs.slice(1).map(({ authenticator, presented, verified }) => ({
    authenticator: authenticator.name,
    kind: verified.credential.kind,
    ...(verified.credential.id === undefined ? {} : { id: verified.credential.id }),
    fingerprint: audit.fingerprint(presented.value),
  }))
  return { ...dropped, beside }
}

/** Scopes that no header can tell are dropped on the way to the backend: the log says which. */
function droppedOf(exchange: ExchangeState, identity: Identity): AuditEntry['data'] {
  for (const scope of identity.scopes)
    if (scope.includes(' ')) return { droppedScopes: exchange.snapshot.propagation.droppedScopes(identity) }
  return undefined
}

// Cached tokens and keys yield the same objects again: what the log says of them is made once. Frozen, so that the log may
// remember its text.
const credentials = new WeakMap<CredentialFacts, AuditCredential>()
const identities = new WeakMap<Identity, AuditIdentity>()

function credentialOf(exchange: ExchangeState): AuditCredential | undefined {
  const { credential, presented, proofs, judged } = exchange
  const { audit } = exchange.snapshot.services
  if (credential === undefined) {
    if (judged === undefined) return undefined
    const id = exchange.judgedId
    return {
      kind: exchange.judgedBy ?? 'unknown',
      fingerprint: audit.fingerprint(judged.value),
      ...(id === undefined ? {} : { id }),
    }
  }
  let known = credentials.get(credential)
  if (known === undefined) {
    known = Object.freeze({
      kind: credential.kind,
      ...(credential.id === undefined ? {} : { id: credential.id }),
      fingerprint: audit.fingerprint((proofs[0]?.presented ?? presented[0])?.value ?? ''),
    })
    credentials.set(credential, known)
  }
  return known
}

function identityOf(exchange: ExchangeState, identity: Identity): AuditIdentity {
  const claimsRead = exchange.compiled?.claimsRead ?? []
  let known = identities.get(identity)
  if (known === undefined) {
    known = Object.freeze({
      issuer: identity.issuer,
      subject: identity.subject,
      ...(identity.client === undefined ? {} : { client: identity.client }),
      ...(identity.tenant === undefined ? {} : { tenant: identity.tenant }),
      scopes: identity.scopes,
      roles: identity.roles,
      amr: identity.amr,
      ...(identity.actor === undefined ? {} : { actor: identity.actor }),
    })
    identities.set(identity, known)
  }
  if (claimsRead.length === 0) return known
  if (claimsRead.includes('*')) return { ...known, claims: identity.claims }
  const claims = claimsRead
    .filter((name) => Object.hasOwn(identity.claims, name))
    .map((name) => [name, identity.claims[name]] as const)
  return { ...known, claims: Object.fromEntries(claims) }
}
