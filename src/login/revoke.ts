/** Gives tokens back that nobody will use any more. The provider may be away: a logout does not wait for it for long. */
import type { SessionContent } from '../engine/sessions/content.ts'
import type { LoginDependencies } from './dependencies.ts'
import { faultOf } from './fault.ts'
import { partyOf, type Choice } from './settings.ts'

export async function revokeTokens(
  deps: Pick<LoginDependencies, 'provider' | 'clock' | 'log'>,
  choice: Choice,
  { refreshToken, accessToken }: Pick<SessionContent, 'refreshToken' | 'accessToken'>,
): Promise<void> {
  const party = partyOf(deps, choice)
  try {
    // With the refresh token go the access tokens that came from it (RFC 7009 section 2.1).
    if (refreshToken !== undefined) await party.revoke(refreshToken, 'refresh_token')
    else await party.revoke(accessToken, 'access_token')
  } catch (error) {
    deps.log.warn(
      { provider: choice.provider, reason: faultOf(error).detail },
      'tokens of a session that ended could not be revoked',
    )
  }
}

export function revokeQuietly(
  deps: Pick<LoginDependencies, 'provider' | 'clock' | 'log'>,
  choice: Choice,
  content: Pick<SessionContent, 'refreshToken' | 'accessToken'>,
): void {
  void revokeTokens(deps, choice, content)
}
