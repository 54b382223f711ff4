/**
 * `WWW-Authenticate` lines, one for each way that a route accepts, `Bearer` first (RFC 9110 section 11.6.1, RFC 6750 section 3).
 * ApiKey, Session, ClientCertificate and Signature are ours: they say what to send, and where.
 */
import type { Authenticator } from './authenticators/authenticator.ts'
import type { CredentialPlace } from './identity.ts'

const realm = 'realm="portcullis"'

/** One way in: a scheme and what is told with it, such as `in="header", name="x-api-key"`. */
export interface Challenge {
  readonly scheme: string
  readonly parameters?: string
}

/** Errors that a scheme's challenge can tell. */
export type ChallengeError = 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce'

export interface Challenges {
  /** Nothing was presented. */
  readonly missing: readonly string[]
  /** Something bad was presented by this scheme: the same ways, its own with the error, where the scheme knows it. */
  refused(scheme: string | undefined, error: ChallengeError): readonly string[]
}

/** Schemes whose challenge has an `error` (RFC 6750 section 3, RFC 9449 section 7.1). */
const schemesWithErrors: readonly string[] = ['bearer', 'dpop']

/** Built once for each route. */
export function compileChallenges(authenticators: readonly Authenticator[]): Challenges {
  const ways = new Map<string, Challenge>()
  for (const { challenges } of authenticators) {
    for (const way of challenges) ways.set(lineOf(way), way)
  }
  const sorted = [...ways.values()]
    .filter((way) => !isSaidBetter(way, [...ways.values()]))
    .toSorted((a, b) => rank(a) - rank(b))
  const missing = Object.freeze(sorted.map((way) => lineOf(way)))
  const known = new Map<string, readonly string[]>()
  return {
    missing,
    refused(scheme, error) {
      const lower = scheme?.toLowerCase() ?? ''
      if (!schemesWithErrors.includes(lower)) return missing
      const key = `${lower} ${error}`
      let lines = known.get(key)
      if (lines === undefined) known.set(key, (lines = linesWith(sorted, lower, error)))
      return lines
    },
  }
}

/** One line for each way: a bare `Bearer` says nothing beside one that tells where to find more. */
function isSaidBetter({ scheme, parameters }: Challenge, ways: readonly Challenge[]): boolean {
  return parameters === undefined && ways.some((way) => way.scheme === scheme && way.parameters !== undefined)
}

function rank({ scheme }: Challenge): number {
  if (scheme === 'Bearer') return 0
  return scheme === 'DPoP' ? 1 : 2
}

/** The scheme's own lines carry the error; where the route does not offer it (a bound token under `binding: none`), one is added. */
function linesWith(ways: readonly Challenge[], scheme: string, error: ChallengeError): readonly string[] {
  const told = ways.map((way) => lineOf(way, way.scheme.toLowerCase() === scheme ? error : undefined))
  if (ways.some((way) => way.scheme.toLowerCase() === scheme)) return Object.freeze(told)
  const way = scheme === 'dpop' ? dpopWay() : { scheme: 'Bearer' }
  return Object.freeze([...told, lineOf(way, error)])
}

function lineOf({ scheme, parameters }: Challenge, error?: ChallengeError): string {
  const told = error === undefined ? [] : [`error="${error}"`]
  return `${scheme} ${[realm, ...told, ...(parameters === undefined ? [] : [parameters])].join(', ')}`
}

/** Signature algorithms of DPoP proofs, in the form of `algs`. @see RFC 9449 section 5.1 */
export const dpopAlgorithms: readonly string[] = Object.freeze([
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
])

/** `metadata`: where its protected-resource metadata is (RFC 9728 section 5.1). */
export function dpopWay(metadata?: string): Challenge {
  const algs = `algs="${dpopAlgorithms.join(' ')}"`
  return {
    scheme: 'DPoP',
    parameters: metadata === undefined ? algs : `${algs}, resource_metadata="${metadata}"`,
  }
}

/** How an API key or token in a place is asked for where no scheme says it: the place itself. */
export function placeWay(place: CredentialPlace): Challenge {
  if (place.kind === 'header' && place.scheme !== undefined && place.scheme.toLowerCase() === 'bearer')
    return { scheme: 'Bearer' }
  return { scheme: 'ApiKey', parameters: `in="${place.kind}", name="${place.name}"` }
}

/** How a bearer token is asked for, whatever its place. `metadata`: where its protected-resource metadata is (RFC 9728 section 5.1). */
export function bearerWay(metadata?: string): Challenge {
  return metadata === undefined
    ? { scheme: 'Bearer' }
    : { scheme: 'Bearer', parameters: `resource_metadata="${metadata}"` }
}

/**
 * The challenge of a 403 for missing scopes, where the credential came as a token.
 * @param scheme as presented
 * @see RFC 6750 section 3.1
 */
export function scopeChallenge(
  required: readonly string[],
  scheme: 'Bearer' | 'DPoP' = 'Bearer',
  more?: string,
): string {
  return `${scheme} ${realm}, error="insufficient_scope", scope="${required.join(' ')}"${more === undefined ? '' : `, ${more}`}`
}

/** The challenge that asks for a stronger or fresher login. @see RFC 9470 section 3 */
export function stepUpChallenge(
  acr: readonly string[] | undefined,
  maxAgeSeconds: number | undefined,
  scheme: 'Bearer' | 'DPoP' | 'Session' = 'Bearer',
): string {
  const values = acr === undefined ? '' : `, acr_values="${acr.join(' ')}"`
  const age = maxAgeSeconds === undefined ? '' : `, max_age="${maxAgeSeconds}"`
  return `${scheme} ${realm}, error="insufficient_user_authentication"${values}${age}`
}
