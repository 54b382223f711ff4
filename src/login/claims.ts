/** What adds to the claims of an ID token: the userinfo endpoint, or the access token. It adds what is lacking and changes nothing. */
import type { Claims } from '../engine/providers/profile.ts'
import { parseCompact } from '../engine/authenticators/jwt/compact.ts'
import { judgeSignature } from '../engine/authenticators/jwt/judge-signature.ts'
import type { SessionSettings } from '../engine/authenticators/session/settings.ts'
import type { LoginProvider } from './dependencies.ts'
import { Away, Unbelievable } from './fault.ts'
import type { Party, Tokens } from './party.ts'

export interface ClaimSources {
  readonly from: SessionSettings['claimsFrom']
  readonly party: Party
  readonly provider: LoginProvider
}

/** Claims about the token itself: an access token's would lie about the ID token. */
const aboutTheToken: ReadonlySet<string> = new Set([
  'iss',
  'sub',
  'aud',
  'exp',
  'nbf',
  'iat',
  'jti',
  'azp',
  'typ',
  'sid',
  'nonce',
  'acr',
  'amr',
  'auth_time',
  'at_hash',
  'c_hash',
  'cnf',
  'events',
  'scope',
  'scp',
  'client_id',
])

/** @throws Unbelievable when the source speaks of somebody else, Away when it cannot be asked */
export async function completeClaims(
  idToken: Claims,
  tokens: Pick<Tokens, 'accessToken'>,
  { from, party, provider }: ClaimSources,
): Promise<Claims> {
  if (from === undefined) return idToken
  const more =
    from === 'userinfo'
      ? await party.userinfo(tokens.accessToken, String(idToken['sub']))
      : await readAccessToken(tokens.accessToken, idToken, provider)
  const added = Object.entries(more).filter(
    ([name]) => !Object.hasOwn(idToken, name) && !aboutTheToken.has(name),
  )
  return { ...Object.fromEntries(added), ...idToken }
}

/** It came over a channel of our own, but roles are taken from it: it is held to the provider's keys like any other. */
async function readAccessToken(token: string, idToken: Claims, provider: LoginProvider): Promise<Claims> {
  const parsed = parseCompact(token)
  const alg = parsed?.header['alg']
  if (parsed === undefined || typeof alg !== 'string')
    throw new Unbelievable('the access token is opaque: `claimsFrom: access-token` has nothing to read')
  const { claims } = parsed
  const { kid } = parsed.header
  const source = await provider.keySet.find(typeof kid === 'string' ? { alg, kid } : { alg })
  const fault = judgeSignature(alg, parsed, source, { secret: undefined, profile: provider.profile })
  if (fault?.reason === 'key_set_unavailable') throw new Away('the keys of the provider cannot be fetched')
  if (fault !== undefined) throw new Unbelievable('the signature of the access token does not hold')
  if (typeof claims['iss'] !== 'string' || !provider.profile.acceptsIssuer(claims['iss']))
    throw new Unbelievable('the access token is of another issuer')
  if (claims['sub'] !== idToken['sub']) throw new Unbelievable('the access token is of another user')
  return claims
}
