/** The plan of one request, from what was compiled for its route. */
import type { RouteSettings } from '../configuration.ts'
import { connectionOptions, isNamed } from '../engine/fields.ts'
import type { CredentialPlace } from '../engine/identity.ts'
import type { FieldLines, ForwardPlan } from '../exchange.ts'
import type { Assert } from './assertion.ts'
import { writeCertificate } from './certificate-fields.ts'
import { hostOf, writeForwarding } from './forwarding.ts'
import type { HashKey } from './hash-key.ts'
import type { IdentityHeaders } from './headers.ts'
import type { ForwardFacts, PlannedExchange } from './plan.ts'
import type { PathRewrite } from './rewrite.ts'
import type { Strip } from './strip.ts'

/** What is known of a route before any request comes. */
export interface RoutePlan {
  readonly route: RouteSettings
  readonly strip: Strip
  readonly headers: IdentityHeaders
  readonly rewrite: PathRewrite
  readonly hashKey: HashKey
  /** `forward.set`, flat. */
  readonly set: FieldLines
  /** Undefined where the route sends no assertion. */
  readonly assert: Assert | undefined
  readonly family: 'x-forwarded' | 'rfc7239'
  /** Whether any proxy is believed about client certificates, and backends may hear of them. */
  readonly handsCertificatesOn: boolean
}

export function planRequest(plan: RoutePlan, exchange: PlannedExchange, facts: ForwardFacts): ForwardPlan {
  const kept = keptPlaces(plan.route, exchange)
  const fields: string[] = []
  copyFields(plan.strip, exchange.server.fields, kept, fields)
  if (plan.handsCertificatesOn) writeCertificate(exchange, fields)
  writeIdentity(plan, exchange, fields)
  if (facts.backendToken !== undefined) fields.push('Authorization', `Bearer ${facts.backendToken}`)
  const { request, server } = exchange
  writeForwarding(
    { request, client: facts.client, peer: server.connection.address, family: plan.family },
    fields,
  )
  fields.push('X-Request-Id', exchange.id)
  if (facts.traceparent !== undefined) fields.push('traceparent', facts.traceparent)
  if (facts.tracestate !== undefined) fields.push('tracestate', facts.tracestate)
  for (const part of plan.set) fields.push(part)
  return {
    upstream: plan.route.upstream,
    method: request.method,
    target: targetOf(plan, exchange, kept),
    fields,
    host: hostFor(plan.route, facts),
    hashKey: plan.hashKey(exchange),
    deadline: exchange.credential?.expiresAt ?? Infinity,
    stillGood: facts.stillGood,
  }
}

const nothing: readonly CredentialPlace[] = Object.freeze([])
const authorization: readonly CredentialPlace[] = Object.freeze([{ kind: 'header', name: 'authorization' }])

/** `credential: keep` passes on what was accepted and nothing else; a public route accepted nothing, so there it is `Authorization`. */
function keptPlaces(
  { forward, authenticate }: RouteSettings,
  { presented }: PlannedExchange,
): readonly CredentialPlace[] {
  if (forward.credential !== 'keep') return nothing
  if (authenticate.mode === 'none') return authorization
  return presented.length === 0 ? nothing : presented.map(({ place }) => place)
}

function copyFields(
  strip: Strip,
  lines: FieldLines,
  kept: readonly CredentialPlace[],
  fields: string[],
): void {
  const named = namedByConnection(lines)
  for (let index = 0; index < lines.length; index += 2) {
    const name = lines[index]!
    if (named?.has(name.toLowerCase()) === true) continue
    if (strip.removesHeader(name)) {
      if (kept.length > 0 && isKept(name.toLowerCase(), kept, strip)) fields.push(name, lines[index + 1]!)
    } else if (isNamed(name, 'cookie')) {
      const cookies = strip.cookies(lines[index + 1]!, kept)
      if (cookies !== undefined) fields.push(name, cookies)
    } else {
      fields.push(name, lines[index + 1]!)
    }
  }
}

/** The credential's own field, by its exact name, and the proof that goes with it. */
function isKept(name: string, kept: readonly CredentialPlace[], strip: Strip): boolean {
  const isCredential = kept.some(
    (place) =>
      place.kind === 'header' && (place.name === name || place.companion === name || name === 'dpop'),
  )
  return isCredential && strip.canKeep(name)
}

/** What the usual values name is removed anyway: no set is made for them. */
function namedByConnection(lines: FieldLines): ReadonlySet<string> | undefined {
  for (let index = 0; index < lines.length; index += 2) {
    if (!isNamed(lines[index]!, 'connection')) continue
    const value = lines[index + 1]!
    if (value !== 'keep-alive' && value !== 'close' && value !== 'Upgrade') return connectionOptions(lines)
  }
  return undefined
}

function writeIdentity(plan: RoutePlan, exchange: PlannedExchange, fields: string[]): void {
  const { identity, credential } = exchange
  if (identity === undefined) return
  for (const part of plan.headers(identity)) fields.push(part)
  if (plan.assert === undefined || credential === undefined) return
  const { upstream } = plan.route
  fields.push(
    'X-Portcullis-Assertion',
    plan.assert({ identity, credential, upstream, requestId: exchange.id }),
  )
}

function targetOf(
  plan: RoutePlan,
  { request, server }: PlannedExchange,
  kept: readonly CredentialPlace[],
): string {
  const path = plan.rewrite(request.path)
  if (request.query === '') return server.target.endsWith('?') ? `${path}?` : path
  const query = plan.strip.query(request.query, kept)
  return query === '' ? path : `${path}?${query}`
}

function hostFor({ rewrite }: RouteSettings, { client }: ForwardFacts): string | undefined {
  return rewrite.host === 'preserve' ? hostOf(client) : rewrite.host
}
