/**
 * `WWW-Authenticate` lines, one for each way that a route accepts, `Bearer` first (RFC 9110 section 11.6.1, RFC 6750 section 3).
 * ApiKey is ours: it names where the key goes.
 */
import type { Authenticator } from './authenticators/authenticator.ts'
import type { CredentialPlace } from './identity.ts'

const realm = 'realm="portcullis"'
const bearer = `Bearer ${realm}`

export interface Challenges {
  /** Nothing was presented. */
  readonly missing: readonly string[]
  /** Something bad was presented as `Bearer`. */
  readonly invalidBearer: readonly string[]
}

/** Built once for each route. */
export function compileChallenges(authenticators: readonly Authenticator[]): Challenges {
  const ways = new Set<string>()
  for (const authenticator of authenticators) {
    for (const place of authenticator.places) ways.add(wayOf(authenticator.type, place))
  }
  const missing = [...ways].sort((a, b) => Number(b === bearer) - Number(a === bearer))
  const invalidBearer = missing.map((way) => (way === bearer ? `${bearer}, error="invalid_token"` : way))
  return { missing, invalidBearer }
}

function wayOf(type: string, place: CredentialPlace): string {
  if (type === 'jwt' || (place.kind === 'header' && place.scheme?.toLowerCase() === 'bearer')) return bearer
  return `ApiKey ${realm}, in="${place.kind}", name="${place.name}"`
}

/**
 * The challenge of a 403 for missing scopes, where the credential came as a bearer token.
 * @see RFC 6750 section 3.1
 */
export function scopeChallenge(required: readonly string[]): string {
  return `${bearer}, error="insufficient_scope", scope="${required.join(' ')}"`
}

/** The challenge that asks for a stronger or fresher login. @see RFC 9470 section 3 */
export function stepUpChallenge(
  acr: readonly string[] | undefined,
  maxAgeSeconds: number | undefined,
): string {
  const values = acr === undefined ? '' : `, acr_values="${acr.join(' ')}"`
  const age = maxAgeSeconds === undefined ? '' : `, max_age="${maxAgeSeconds}"`
  return `${bearer}, error="insufficient_user_authentication"${values}${age}`
}

/** @returns whether a credential in this place counts as presented by the Bearer scheme */
export function isBearer(type: string, place: CredentialPlace): boolean {
  return wayOf(type, place) === bearer
}
