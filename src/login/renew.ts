import type { Claims } from '../engine/providers/profile.ts'
import type { SessionContent } from '../engine/sessions/content.ts'
import { completeClaims } from './claims.ts'
import type { LoginDependencies } from './dependencies.ts'
import { Unbelievable } from './fault.ts'
import { readIdToken } from './id-token.ts'
import { partyOf, type Choice } from './settings.ts'
import { contentOf } from './token-answer.ts'

/** What tells of the login itself. A refresh is no login, whatever its ID token says. */
const ofTheLogin = ['auth_time', 'acr', 'amr', 'nonce', 'sid'] as const

/**
 * Uses the refresh token.
 * @returns the content with new tokens and claims; the refresh token stays where the provider gives no new one
 * @throws what `faultOf` understands
 * @see OpenID Connect Core 1.0 section 12.2
 */
export async function renewTokens(
  deps: Pick<LoginDependencies, 'provider' | 'clock'>,
  choice: Choice,
  before: SessionContent,
): Promise<SessionContent | 'another user'> {
  if (before.refreshToken === undefined) throw new Unbelievable('there is no refresh token')
  const party = partyOf(deps, choice)
  const provider = deps.provider(choice.provider)
  const tokens = await party.refresh(before.refreshToken)
  const { accessToken, idToken } = tokens
  const own =
    idToken === undefined
      ? undefined
      : await readIdToken(idToken, { provider, clock: deps.clock, client: before.client, accessToken })
  if (own !== undefined && (own['sub'] !== before.claims['sub'] || own['iss'] !== before.claims['iss']))
    return 'another user'
  const renewed = contentOf(tokens, {
    claims: await claimsAfter(own ?? before.claims),
    client: before.client,
    askedScope: before.scopes.join(' '),
    idToken: idToken ?? before.idToken,
    now: deps.clock.now(),
  })
  return {
    ...renewed,
    refreshToken: tokens.refreshToken ?? before.refreshToken,
    ...(before.steppedUpFor === undefined ? {} : { steppedUpFor: before.steppedUpFor }),
  }

  async function claimsAfter(claims: Claims): Promise<Claims> {
    const from = choice.settings.claimsFrom
    const completed = await completeClaims(claims, tokens, { from, party, provider })
    const { ...rest } = completed as Record<string, unknown>
    for (const name of ofTheLogin) {
      if (Object.hasOwn(before.claims, name)) rest[name] = before.claims[name]
      else delete rest[name]
    }
    return rest
  }
}
