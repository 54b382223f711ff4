/** Tells a provider that a token is not needed any more. @see RFC 7009 section 2 */
import { OAuthFailure } from './oauth-failure.ts'
import type { ProviderClient } from './provider-client.ts'

/**
 * Resolves when the token is revoked, or was unknown, which the provider does not tell apart.
 * @throws OAuthFailure
 */
export async function revokeToken(
  client: ProviderClient,
  token: string,
  hint: 'access_token' | 'refresh_token',
): Promise<void> {
  const answer = await client.post(
    'revocation',
    { token, token_type_hint: hint },
    { accept: 'application/json', maxBytes: 16_384 },
  )
  if (answer.status >= 200 && answer.status < 300) return
  throw new OAuthFailure('refused', `the revocation endpoint answered with status ${answer.status}`)
}
