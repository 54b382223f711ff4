import type { Claims } from '../engine/providers/profile.ts'
import type { SessionContent } from '../engine/sessions/content.ts'
import type { Tokens } from './party.ts'

export interface AnswerFacts {
  readonly claims: Claims
  readonly client: string
  /** What was asked for: an answer without `scope` grants it (RFC 6749 section 5.1). */
  readonly askedScope: string
  readonly idToken: string
  readonly now: number
}

/** What is kept of a token answer. */
export function contentOf(
  { accessToken, refreshToken, expiresIn, scope }: Tokens,
  { claims, client, askedScope, idToken, now }: AnswerFacts,
): SessionContent {
  const lifetime = expiresIn === undefined ? undefined : Math.max(0, expiresIn) * 1000
  const scopes = new Set((scope ?? askedScope).split(' ').filter((each) => each !== ''))
  return {
    claims,
    client,
    scopes: [...scopes],
    idToken,
    accessToken,
    ...(lifetime === undefined ? {} : { accessExpiresAt: now + lifetime, accessLifetime: lifetime }),
    ...(refreshToken === undefined ? {} : { refreshToken }),
  }
}
