import { createHash } from 'node:crypto'
import type { LogoutToken } from '../ports/sessions.ts'
import type { Clock } from '../ports/clock.ts'
import type { LoginProvider } from './dependencies.ts'
import { Unbelievable } from './fault.ts'
import { readSignedToken } from './signed-token.ts'

const event = 'http://schemas.openid.net/event/backchannel-logout'
/** A logout is told at once: what is older was kept back, or is replayed. Milliseconds, beside the provider's clock skew. */
const oldest = 300_000
const longestText = 512

export interface LogoutTokenRules {
  readonly provider: LoginProvider
  readonly clock: Clock
  readonly clients: readonly string[]
}

/**
 * What a logout token ends, once everything about it is good.
 * @throws Unbelievable, or Away when the keys cannot be had
 * @see OpenID Connect Back-Channel Logout 1.0 section 2.6
 */
export async function readLogoutToken(token: string, rules: LogoutTokenRules): Promise<LogoutToken> {
  const { provider, clock, clients } = rules
  const { claims } = await readSignedToken(token, { provider, clock, clients, types: ['logout+jwt'] })
  if (Object.hasOwn(claims, 'nonce')) throw new Unbelievable('a logout token has no `nonce`')
  const events = claims['events']
  if (typeof events !== 'object' || events === null || Array.isArray(events) || !Object.hasOwn(events, event))
    throw new Unbelievable('`events` does not tell of a logout')
  const body = (events as Readonly<Record<string, unknown>>)[event]
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Unbelievable('the logout event is no object')
  const sid = textOf('sid', claims['sid'])
  const sub = textOf('sub', claims['sub'])
  if (sid === undefined && sub === undefined) throw new Unbelievable('neither `sid` nor `sub`')
  const jti = textOf('jti', claims['jti'])
  if (jti === undefined) throw new Unbelievable('`jti` is missing')
  const { clockSkew } = provider.profile
  const issued = (claims['iat'] as number) * 1000
  if (clock.now() > issued + oldest + clockSkew) throw new Unbelievable('the token is too old')
  const issuer = claims['iss'] as string
  return {
    issuers: provider.profile.sameIssuers(issuer),
    ...(sid === undefined ? {} : { sid }),
    ...(sub === undefined ? {} : { sub }),
    name: `logout ${createHash('sha256')
      .update(JSON.stringify([issuer, jti]))
      .digest('base64url')}`,
    until: issued + oldest + 2 * clockSkew + 1000,
  }
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '' || value.length > longestText)
    throw new Unbelievable(`\`${name}\` is no text`)
  return value
}
