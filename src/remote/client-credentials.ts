/** A token for the gateway itself. @see RFC 6749 section 4.4 */
import type { Clock } from '../ports/clock.ts'
import type { ProviderClient } from './provider-client.ts'
import { maxTokenAnswerBytes, readTokenAnswer, type IssuedToken } from './token-answer.ts'

export interface CredentialsRequest {
  readonly audience?: string | undefined
  readonly scope?: string | undefined
  /** How this provider wants to be told for whom the token is: Auth0's word, or RFC 8707's beside it. */
  readonly namesResource: boolean
}

/** @throws OAuthFailure */
export async function fetchClientToken(
  client: ProviderClient,
  { audience, scope, namesResource }: CredentialsRequest,
  clock: Clock,
): Promise<IssuedToken> {
  const asked = clock.now()
  const form = {
    grant_type: 'client_credentials',
    ...(scope === undefined ? {} : { scope }),
    ...(audience === undefined ? {} : { audience }),
    ...(audience !== undefined && namesResource && isResource(audience) ? { resource: audience } : {}),
  }
  const answer = await client.post('token', form, {
    accept: 'application/json',
    maxBytes: maxTokenAnswerBytes,
  })
  return readTokenAnswer(answer, asked)
}

/** @see RFC 8707 section 2: an absolute URI without a fragment */
function isResource(audience: string): boolean {
  return URL.canParse(audience) && !audience.includes('#')
}
