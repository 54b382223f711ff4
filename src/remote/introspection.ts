/** The adapter of the `Introspector` port: asks a provider's introspection endpoint, and believes only a strict answer. */
import { parseJsonObject } from '../engine/authenticators/jwt/strict-json.ts'
import type { Clock } from '../ports/clock.ts'
import type { IntrospectionAnswer, Introspector } from '../ports/introspector.ts'
import type { KeySet } from '../ports/key-sets.ts'
import { asOAuthFailure, OAuthFailure } from './oauth-failure.ts'
import type { ProviderClient } from './provider-client.ts'
import type { FetchedAnswer } from './read-answer.ts'
import { readSignedAnswer } from './signed-introspection.ts'

export interface IntrospectorOptions {
  readonly client: ProviderClient
  /** The provider's published keys, which sign answers. */
  readonly keySet: KeySet
  readonly acceptsIssuer: (issuer: string) => boolean
  /** Names of ours, beside the client id, that a signed answer may be addressed to. */
  readonly audience: readonly string[]
  /** True: only a signed answer will do. */
  readonly requiresSigned: boolean
  readonly clock: Clock
  /** Milliseconds. */
  readonly clockSkew: number
}

const maxAnswerBytes = 65_536
const signedType = 'application/token-introspection+jwt'
const leastRetry = 1_000

/** @see RFC 7662 section 2, RFC 9701 section 4 */
export function createIntrospector(options: IntrospectorOptions): Introspector {
  const accept = options.requiresSigned ? signedType : `application/json, ${signedType};q=0.9`
  const introspect = async (token: string): Promise<IntrospectionAnswer> => {
    const answer = await options.client.post(
      'introspection',
      { token, token_type_hint: 'access_token' },
      { accept, maxBytes: maxAnswerBytes },
    )
    return isTokenRefused(answer) ? { outcome: 'inactive' } : judge(await readClaims(answer, options))
  }
  return {
    async introspect(token) {
      try {
        return await introspect(token)
      } catch (error) {
        return unavailable(asOAuthFailure(error))
      }
    },
  }
}

/** Some providers look up opaque tokens only, and say so of a signed one. @see RFC 7009 section 2.2.1 */
function isTokenRefused({ status, body }: FetchedAnswer): boolean {
  if (status !== 400) return false
  const error = parseJsonObject(body)?.['error']
  return error === 'unsupported_token_type' || error === 'invalid_token'
}

async function readClaims(
  answer: FetchedAnswer,
  options: IntrospectorOptions,
): Promise<Readonly<Record<string, unknown>>> {
  if (answer.status !== 200) throw malformed(`has the status ${answer.status}`)
  const type = answer.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type === signedType) return readSignedAnswer(answer.body.toString('latin1').trim(), options)
  if (options.requiresSigned) throw malformed('is not signed, and `signedAnswers: required` is set')
  if (type !== undefined && type !== 'application/json') throw malformed('is neither JSON nor signed')
  const claims = parseJsonObject(answer.body)
  // A repeated member is read one way here and another way by whoever logged or filtered the answer.
  if (claims === undefined) throw malformed('is not one strict JSON object')
  return claims
}

/** Only the literal `true` is a yes: "true", 1 and the like come from somebody who did not read the standard. */
function judge(claims: Readonly<Record<string, unknown>>): IntrospectionAnswer {
  const { active } = claims
  if (active === true) return { outcome: 'active', claims }
  if (active === false) return { outcome: 'inactive' }
  throw malformed('does not say whether the token is active')
}

function malformed(what: string): OAuthFailure {
  return new OAuthFailure('malformed', `the introspection answer ${what}`)
}

function unavailable(error: unknown): IntrospectionAnswer {
  if (!(error instanceof OAuthFailure)) throw error
  const { fault, message, retryAfter = leastRetry } = error
  return {
    outcome: 'unavailable',
    fault: fault === 'refused' ? 'malformed' : fault,
    detail: message,
    retryAfter: Math.max(retryAfter, leastRetry),
  }
}
