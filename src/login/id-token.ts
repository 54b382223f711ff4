import { audiencesOf } from '../engine/authenticators/jwt/claims.ts'
import type { Claims } from '../engine/providers/profile.ts'
import { Unbelievable } from './fault.ts'
import { holdsHash, readSignedToken, type TokenRules } from './signed-token.ts'

export interface IdTokenRules extends Pick<TokenRules, 'provider' | 'clock'> {
  readonly client: string
  /** Of the login; absent for a token that came with a refresh. */
  readonly nonce?: string
  readonly accessToken: string
}

/**
 * The claims of an ID token, once everything about it is good.
 * @throws Unbelievable, or Away when the keys cannot be had
 * @see OpenID Connect Core 1.0 section 3.1.3.7
 */
export async function readIdToken(token: string, rules: IdTokenRules): Promise<Claims> {
  const { provider, clock, client, nonce, accessToken } = rules
  const { claims, alg } = await readSignedToken(token, { provider, clock, clients: [client], types: [] })
  const { sub, azp } = claims
  if (typeof sub !== 'string' || sub === '' || sub.length > 512) throw new Unbelievable('`sub` is missing')
  // A logout token is signed by the same keys for the same client: it must not log anybody in.
  if (Object.hasOwn(claims, 'events')) throw new Unbelievable('a security event token')
  // Tenants, organisations and domains that the settings do not take: the provider knows them, and we do not mean them.
  const stranger = provider.profile.admissionFault(claims)
  if (stranger !== undefined) throw new Unbelievable(stranger)
  const audiences = audiencesOf(claims['aud']) ?? []
  if (azp === undefined ? audiences.length > 1 : azp !== client)
    throw new Unbelievable('`azp` is another client, or missing among several audiences')
  if (nonce !== undefined && claims['nonce'] !== nonce) throw new Unbelievable('`nonce` is another one')
  if (claims['at_hash'] !== undefined && !holdsHash(claims['at_hash'], accessToken, alg))
    throw new Unbelievable('`at_hash` is that of another access token')
  return claims
}
