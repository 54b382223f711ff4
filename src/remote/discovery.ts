/** A provider's own description of its endpoints, believed only when it names the issuer that was configured. */
import type { Clock } from '../ports/clock.ts'
import { isLoopbackHost } from './address-guard.ts'
import { freshnessOf } from './freshness.ts'
import type { FetchedAnswer } from './guarded-fetch.ts'
import { AnswerError, readJsonObject } from './json-answer.ts'

/** Our names of endpoints, as the configuration writes them, and the standards' names in metadata. */
export const endpointNames = {
  jwks: 'jwks_uri',
  authorization: 'authorization_endpoint',
  token: 'token_endpoint',
  introspection: 'introspection_endpoint',
  revocation: 'revocation_endpoint',
  endSession: 'end_session_endpoint',
  userinfo: 'userinfo_endpoint',
  pushedAuthorization: 'pushed_authorization_request_endpoint',
} as const

export type EndpointName = keyof typeof endpointNames
export type Endpoints = Readonly<Partial<Record<EndpointName, string>>>

/** What a provider tells of itself, as far as we read it. */
export interface ProviderMetadata {
  readonly endpoints: Endpoints
  /** Where clients that prove themselves by a certificate go instead (RFC 8705 section 5). */
  readonly mtlsEndpoints: Endpoints
  /** How clients may prove themselves at the token endpoint, and elsewhere where that is told apart. */
  readonly authMethods: AuthMethods
  /** Algorithms of signed proofs at the token endpoint (`private_key_jwt`); undefined: not told. */
  readonly proofAlgorithms: readonly string[] | undefined
  /** The document as it came, for what only a relying party reads; its endpoints are not to be taken from here. */
  readonly document: Readonly<Record<string, unknown>>
}

export type AuthMethods = Readonly<
  Partial<Record<'token' | 'introspection' | 'revocation', readonly string[]>>
>

const nothingKnown: ProviderMetadata = Object.freeze({
  endpoints: Object.freeze({}),
  mtlsEndpoints: Object.freeze({}),
  authMethods: Object.freeze({}),
  proofAlgorithms: undefined,
  document: Object.freeze({}),
})

const retryAfterFailure = 10_000

/** Of a provider without discovery: what the configuration says. */
export function metadataOf(endpoints: Endpoints): ProviderMetadata {
  return { ...nothingKnown, endpoints }
}

export interface DiscoveryOptions {
  /** Where the metadata may be, tried in order while the answer is 404. */
  readonly urls: readonly string[]
  /** What its `issuer` must be, to the letter. */
  readonly issuer: string
  readonly fetchDocument: (url: string, signal: AbortSignal | undefined) => Promise<FetchedAnswer>
  readonly clock: Clock
  /** Lets metadata name plain http endpoints off loopback. */
  readonly allowInsecure: boolean
}

export interface Discovery {
  /** From memory while fresh; a failed refetch keeps what was known. Rejects when nothing ever was. */
  metadata(signal?: AbortSignal): Promise<ProviderMetadata>
  endpoints(signal?: AbortSignal): Promise<Endpoints>
  /** Asks again next time: an endpoint may have moved. */
  forget(): void
}

export function createDiscovery(options: DiscoveryOptions): Discovery {
  let known: ProviderMetadata | undefined
  let freshUntil = -Infinity
  let inFlight: Promise<ProviderMetadata> | undefined
  const discover = async (signal: AbortSignal | undefined): Promise<ProviderMetadata> => {
    try {
      const { url, answer } = await fetchFirst(options, signal)
      known = readMetadata(readJsonObject(answer, 'metadata'), url, options)
      const now = options.clock.now()
      freshUntil = now + freshnessOf(answer.headers, now)
    } catch (error) {
      if (known === undefined) throw error
      // Whoever asks meanwhile gets what is known, and does not wait for a provider that is away.
      freshUntil = options.clock.now() + retryAfterFailure
    }
    return known
  }
  const metadata = (signal?: AbortSignal): Promise<ProviderMetadata> => {
    if (known !== undefined && options.clock.now() < freshUntil) return Promise.resolve(known)
    inFlight ??= discover(signal).finally(() => {
      inFlight = undefined
    })
    return inFlight
  }
  return {
    metadata,
    endpoints: async (signal) => (await metadata(signal)).endpoints,
    forget() {
      freshUntil = -Infinity
    },
  }
}

/**
 * The places of an issuer's metadata: OpenID Connect's, which is appended to the issuer, then RFC 8414's, which is put
 * between host and path.
 * @see OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3.1
 */
export function metadataUrls(issuer: string): readonly string[] {
  const url = new URL(issuer)
  const path = url.pathname.replace(/\/$/, '')
  return [
    `${url.origin}${path}/.well-known/openid-configuration`,
    `${url.origin}/.well-known/oauth-authorization-server${path}`,
  ]
}

async function fetchFirst(
  { urls, fetchDocument }: DiscoveryOptions,
  signal: AbortSignal | undefined,
): Promise<{ readonly url: string; readonly answer: FetchedAnswer }> {
  let last: { readonly url: string; readonly answer: FetchedAnswer } | undefined
  for (const url of urls) {
    last = { url, answer: await fetchDocument(url, signal) }
    if (last.answer.status !== 404) break
  }
  if (last === undefined) throw new AnswerError('no metadata address is known')
  return last
}

/** @see OpenID Connect Discovery 1.0 section 4.3, RFC 8414 section 3.3: an issuer that differs is somebody else's */
function readMetadata(
  document: Readonly<Record<string, unknown>>,
  source: string,
  { issuer, allowInsecure }: DiscoveryOptions,
): ProviderMetadata {
  const named = document['issuer']
  if (named !== issuer) {
    throw new AnswerError(
      typeof named === 'string' && named.replace(/\/$/, '') === issuer.replace(/\/$/, '')
        ? `the metadata's issuer and the configured ${issuer} differ by a trailing slash`
        : `the metadata names another issuer than ${issuer}`,
    )
  }
  const aliases = document['mtls_endpoint_aliases']
  return Object.freeze({
    endpoints: readEndpoints(document, source, allowInsecure),
    mtlsEndpoints:
      typeof aliases === 'object' && aliases !== null
        ? readEndpoints(aliases as Readonly<Record<string, unknown>>, source, allowInsecure)
        : {},
    authMethods: readAuthMethods(document),
    proofAlgorithms: readWords(document['token_endpoint_auth_signing_alg_values_supported']),
    document,
  })
}

function readEndpoints(
  document: Readonly<Record<string, unknown>>,
  source: string,
  allowInsecure: boolean,
): Endpoints {
  const endpoints: Partial<Record<EndpointName, string>> = {}
  for (const [name, member] of Object.entries(endpointNames) as [EndpointName, string][]) {
    const endpoint = document[member]
    if (typeof endpoint === 'string' && mayPointTo(source, endpoint, allowInsecure))
      endpoints[name] = endpoint
  }
  return Object.freeze(endpoints)
}

function readAuthMethods(document: Readonly<Record<string, unknown>>): AuthMethods {
  const found = (['token', 'introspection', 'revocation'] as const).flatMap((name) => {
    const words = readWords(document[`${name}_endpoint_auth_methods_supported`])
    return words === undefined ? [] : [[name, words] as const]
  })
  return Object.freeze(Object.fromEntries(found))
}

function readWords(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : undefined
}

/** Metadata read over https must not lead down to http: whoever bends it could then serve keys in the clear. */
export function mayPointTo(source: string, endpoint: string, allowInsecure: boolean): boolean {
  const to = URL.parse(endpoint)
  if (to === null || to.username !== '' || to.password !== '') return false
  if (to.protocol === 'https:') return true
  if (to.protocol !== 'http:') return false
  return allowInsecure || (URL.parse(source)?.protocol === 'http:' && isLoopbackHost(to.hostname))
}
