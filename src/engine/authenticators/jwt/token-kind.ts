/** Keeps tokens of another kind out: an ID token tells a client who logged in, and is no permission to call anything. */
import type { Claims, Profile } from '../../providers/profile.ts'
import { rejected, type Rejected } from '../../outcome.ts'
import { audiencesOf, type ClaimRules } from './claims.ts'

export interface KindRules {
  readonly profile: Profile
  readonly audience: ClaimRules['audience']
  readonly clients: readonly string[]
  readonly acceptsIdTokens: boolean
}

/** What Keycloak writes into the payload's `typ` of tokens that only it should ever read. */
const otherTypes: readonly unknown[] = ['refresh', 'offline', 'logout', 'serialized-id']

/**
 * @param isAccessType whether the header's `typ` is at+jwt
 * @see RFC 8725 section 3.12, RFC 9068 section 5, OpenID Connect Core 1.0 section 2
 */
export function judgeKind(claims: Claims, isAccessType: boolean, rules: KindRules): Rejected | undefined {
  const type = typeof claims['typ'] === 'string' ? claims['typ'].toLowerCase() : undefined
  if (otherTypes.includes(type)) return rejected('token_kind', 'the payload says that it is no access token')
  const fault = rules.profile.kindFault(claims, rules.acceptsIdTokens)
  if (fault !== undefined) return rejected('token_kind', fault)
  if (rules.acceptsIdTokens) return undefined
  if (claims['token_use'] === 'id' || type === 'id' || has(claims, 'at_hash') || has(claims, 'c_hash')) {
    return rejected('token_kind', 'an ID token')
  }
  if (isAccessType || isMarked(claims, type)) return undefined
  if (has(claims, 'nonce')) return rejected('token_kind', 'a nonce and no mark of an access token')
  return isForClientId(claims, rules)
    ? rejected('token_kind', 'the audience is a client id, and nothing marks the token as an access token')
    : undefined
}

function isMarked(claims: Claims, type: string | undefined): boolean {
  return (
    isScope(claims['scope']) ||
    isScope(claims['scp']) ||
    type === 'bearer' ||
    claims['token_use'] === 'access' ||
    claims['idtyp'] === 'app'
  )
}

function isScope(value: unknown): boolean {
  return typeof value === 'string' || Array.isArray(value)
}

/** True when every expected audience that the token names is one that the provider's ID tokens carry as well. */
function isForClientId(claims: Claims, { audience, clients, profile }: KindRules): boolean {
  if (audience === undefined || audience === 'any') return false
  const named = audiencesOf(claims['aud']) ?? []
  return audience
    .filter((each) => named.includes(each))
    .every((each) => clients.includes(each) || looksLikeClientId(each) || profile.isClientId(each))
}

/** Forms that only client ids have, whichever provider type the configuration names. */
function looksLikeClientId(audience: string): boolean {
  return (
    /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(audience) ||
    audience.endsWith('.apps.googleusercontent.com')
  )
}

function has(claims: Claims, name: string): boolean {
  return Object.hasOwn(claims, name)
}
