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
  endpoints(signal?: AbortSignal): Promise<Endpoints>
  /** Asks again next time: an endpoint may have moved. */
  forget(): void
}

export function createDiscovery(options: DiscoveryOptions): Discovery {
  let known: Endpoints | undefined
  let freshUntil = -Infinity
  let inFlight: Promise<Endpoints> | undefined
  const discover = async (signal: AbortSignal | undefined): Promise<Endpoints> => {
    try {
      const { url, answer } = await fetchFirst(options, signal)
      known = readMetadata(readJsonObject(answer, 'metadata'), url, options)
      const now = options.clock.now()
      freshUntil = now + freshnessOf(answer.headers, now)
    } catch (error) {
      if (known === undefined) throw error
    }
    return known
  }
  return {
    endpoints(signal) {
      if (known !== undefined && options.clock.now() < freshUntil) return Promise.resolve(known)
      inFlight ??= discover(signal).finally(() => {
        inFlight = undefined
      })
      return inFlight
    },
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
): Endpoints {
  const named = document['issuer']
  if (named !== issuer) {
    throw new AnswerError(
      typeof named === 'string' && named.replace(/\/$/, '') === issuer.replace(/\/$/, '')
        ? `the metadata's issuer and the configured ${issuer} differ by a trailing slash`
        : `the metadata names another issuer than ${issuer}`,
    )
  }
  const endpoints: Partial<Record<EndpointName, string>> = {}
  for (const [name, member] of Object.entries(endpointNames) as [EndpointName, string][]) {
    const endpoint = document[member]
    if (typeof endpoint === 'string' && mayPointTo(source, endpoint, allowInsecure))
      endpoints[name] = endpoint
  }
  return Object.freeze(endpoints)
}

/** Metadata read over https must not lead down to http: whoever bends it could then serve keys in the clear. */
function mayPointTo(source: string, endpoint: string, allowInsecure: boolean): boolean {
  const to = URL.parse(endpoint)
  if (to === null || to.username !== '' || to.password !== '') return false
  if (to.protocol === 'https:') return true
  if (to.protocol !== 'http:') return false
  return allowInsecure || (URL.parse(source)?.protocol === 'http:' && isLoopbackHost(to.hostname))
}
