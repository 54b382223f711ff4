/** A provider's metadata, held against what the configuration needs of it. */
import { endpointNames, mayPointTo, type EndpointName } from '../discovery.ts'
import { found, quoted, type OnlineFinding, type Place } from './findings.ts'
import type { ProviderNeeds } from './needs.ts'

export interface MetadataQuestion {
  readonly name: string
  /** Where the document was read. */
  readonly source: string
  readonly document: Readonly<Record<string, unknown>>
  /** What its `issuer` must be, one of these; the first is the one to tell of. */
  readonly issuers: readonly string[]
  /** Endpoints that the configuration names: they need not be published. */
  readonly explicit: Readonly<Partial<Record<EndpointName, string>>>
  readonly allowInsecure: boolean
  /** Whether the key set is read from where this document says. */
  readonly namesKeys: boolean
  readonly needs: ProviderNeeds
}

export function judgeMetadata(question: MetadataQuestion): OnlineFinding[] {
  return [
    ...judgeIssuer(question),
    ...judgeEndpoints(question),
    ...judgeAlgorithms(question),
    ...judgeClients(question),
    ...(question.needs.logins.length === 0 ? [] : judgeLogin(question)),
  ]
}

function judgeIssuer({ name, document, issuers }: MetadataQuestion): OnlineFinding[] {
  const named = document['issuer']
  const [issuer = ''] = issuers
  if (typeof named !== 'string') return [found('provider-metadata', { name }, 'its metadata names no issuer')]
  if (issuers.includes(named)) return []
  const isSlash = withoutSlash(named) === withoutSlash(issuer)
  return [
    found(
      'provider-issuer',
      { name },
      `its metadata names the issuer ${quoted(named)}, the configuration ${quoted(issuer)}` +
        (isSlash ? ': they differ by a trailing slash' : ''),
    ),
  ]
}

function withoutSlash(issuer: string): string {
  return issuer.replace(/\/$/, '')
}

/** What each missing endpoint costs, where there is a way without it. */
const optional: Readonly<Partial<Record<EndpointName, string>>> = {
  revocation: 'a logout cannot revoke the refresh token',
  endSession: 'a logout here leaves the browser signed in there',
}

function* judgeEndpoints(question: MetadataQuestion): Generator<OnlineFinding> {
  const { name, source, document, explicit, allowInsecure, needs, namesKeys } = question
  const wanted = new Map(needs.endpoints)
  if (namesKeys) wanted.set('jwks', 'the keys of its tokens')
  for (const [endpoint, why] of wanted) {
    if (explicit[endpoint] !== undefined) continue
    const member = endpointNames[endpoint]
    const url = document[member]
    if (typeof url !== 'string' || url === '') {
      const price = optional[endpoint]
      yield found(
        'provider-endpoint-missing',
        { name },
        `its metadata has no \`${member}\`, which ${why} needs${price === undefined ? '' : `: ${price}`}`,
        price === undefined ? 'error' : 'warning',
      )
    } else if (!mayPointTo(source, url, allowInsecure)) {
      yield found('provider-endpoint-plain-http', { name }, `its \`${member}\` is ${quoted(url)}`)
    }
  }
}

function* judgeAlgorithms({ name, document, needs }: MetadataQuestion): Generator<OnlineFinding> {
  const offered = listOf(document['id_token_signing_alg_values_supported'])
  if (offered === undefined) return
  const weak = offered.filter((alg) => alg === 'none' || /^HS\d+$/.test(alg))
  if (weak.length > 0) {
    yield found(
      'provider-algorithms',
      { name },
      `it offers ID tokens signed with ${weak.map(quoted).join(', ')}`,
    )
  }
  for (const { by, algorithms } of needs.verifiers) {
    if (algorithms.some((alg) => offered.includes(alg))) continue
    yield found(
      'provider-algorithms',
      { name },
      `it signs with none of the algorithms of ${by} (${algorithms.join(', ')})`,
    )
  }
}

/** The registered words for each of our ways. @see RFC 7591 section 2, RFC 8705 section 2 */
const methodWords = {
  secret: ['client_secret_basic', 'client_secret_post'],
  private_key_jwt: ['private_key_jwt'],
  mtls: ['tls_client_auth', 'self_signed_tls_client_auth'],
} as const

function* judgeClients({ name, document, needs }: MetadataQuestion): Generator<OnlineFinding> {
  for (const { by, method, endpoint } of needs.clients) {
    const member = `${endpoint}_endpoint_auth_methods_supported`
    // Left out it means client_secret_basic at the token endpoint (RFC 8414 section 2), and elsewhere the same as there.
    const offered = listOf(document[member]) ??
      listOf(document['token_endpoint_auth_methods_supported']) ?? ['client_secret_basic']
    if (methodWords[method].some((word) => offered.includes(word))) continue
    yield found(
      'provider-client-authentication',
      { name },
      `${by} proves itself by ${method}, and the provider offers ${offered.map(quoted).join(', ')}`,
    )
  }
}

function* judgeLogin({ name, document, needs }: MetadataQuestion): Generator<OnlineFinding> {
  const place: Place = { name }
  const challenges = listOf(document['code_challenge_methods_supported'])
  if (challenges?.includes('S256') !== true) {
    yield found(
      'provider-pkce',
      place,
      challenges === undefined ? 'it does not say that it checks PKCE' : 'it checks PKCE, but not with S256',
    )
  }
  if (document['authorization_response_iss_parameter_supported'] !== true) {
    yield found(
      'provider-iss-parameter',
      place,
      'it does not name itself in answers to a login',
      needs.sharesLogin ? 'warning' : 'note',
    )
  }
  if (typeof document['pushed_authorization_request_endpoint'] !== 'string') {
    yield found('provider-pushed-requests', place, 'it takes no pushed authorization requests')
  }
  if (document['backchannel_logout_supported'] !== true) {
    yield found('provider-backchannel-logout', place, 'it does not tell of logouts')
  }
}

/** @returns the texts of a list; undefined when the member is no list at all */
function listOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : undefined
}
