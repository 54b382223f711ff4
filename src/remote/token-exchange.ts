/** One token for another, at the provider. @see RFC 8693 section 2 */
import type { Clock } from '../ports/clock.ts'
import type { ProviderClient } from './provider-client.ts'
import { maxTokenAnswerBytes, readTokenAnswer, type IssuedToken } from './token-answer.ts'

export interface ExchangeRequest {
  readonly subjectToken: string
  /** What the subject token is. */
  readonly subjectTokenType: 'access_token' | 'id_token' | 'jwt'
  readonly audience?: string | undefined
  readonly scope?: string | undefined
}

const types = 'urn:ietf:params:oauth:token-type:'

/** What may come where an access token was asked for: one that is a JWT may be called so. */
const issuedTypes: readonly unknown[] = [`${types}access_token`, `${types}jwt`]

/** @throws OAuthFailure */
export async function exchangeToken(
  client: ProviderClient,
  { subjectToken, subjectTokenType, audience, scope }: ExchangeRequest,
  clock: Clock,
): Promise<IssuedToken> {
  const asked = clock.now()
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subjectToken,
    subject_token_type: `${types}${subjectTokenType}`,
    requested_token_type: `${types}access_token`,
    ...(audience === undefined ? {} : { audience }),
    ...(scope === undefined ? {} : { scope }),
  }
  const answer = await client.post('token', form, {
    accept: 'application/json',
    maxBytes: maxTokenAnswerBytes,
  })
  return readTokenAnswer(answer, asked, (members) => {
    if (!issuedTypes.includes(members['issued_token_type']))
      return 'holds a token of another kind than asked for'
    // The same token back would carry the caller's whole power to the backend, where less was asked for.
    return members['access_token'] === subjectToken ? 'gives the same token back' : undefined
  })
}
