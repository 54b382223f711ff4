/** Introspection answers that the provider signed. @see RFC 9701 section 5 */
import { defaultAlgorithms, isPublicKeyAlgorithm, keyFits } from '../engine/authenticators/jwt/algorithms.ts'
import { audiencesOf } from '../engine/authenticators/jwt/claims.ts'
import { parseCompact, type CompactToken } from '../engine/authenticators/jwt/compact.ts'
import { holdsSignature } from '../engine/authenticators/jwt/signature.ts'
import type { IntrospectorOptions } from './introspection.ts'
import { OAuthFailure } from './oauth-failure.ts'

/** Milliseconds that an answer may have been under way, beside the difference of the clocks. */
const freshFor = 60_000

/**
 * @returns the answer in the statement
 * @throws OAuthFailure for what is not the provider's own, fresh statement to us
 */
export async function readSignedAnswer(
  body: string,
  options: IntrospectorOptions,
): Promise<Readonly<Record<string, unknown>>> {
  const token = parseCompact(body)
  if (token === undefined) throw malformed('is no signed statement')
  judgeHeader(token.header)
  await judgeSignature(token, options)
  judgeClaims(token.claims, options)
  const inner = token.claims['token_introspection']
  if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) throw malformed('holds no answer')
  return inner as Readonly<Record<string, unknown>>
}

/** The type keeps any other token of the provider, signed by the same keys, from being shown as an answer. */
function judgeHeader(header: Readonly<Record<string, unknown>>): void {
  const { typ } = header
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined
  if (type !== 'token-introspection+jwt') throw malformed('is a statement of another type')
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) throw malformed('has a critical header')
}

async function judgeSignature(
  { header, signed, signature }: CompactToken,
  { keySet }: IntrospectorOptions,
): Promise<void> {
  const { alg, kid } = header
  if (typeof alg !== 'string' || !defaultAlgorithms.includes(alg) || !isPublicKeyAlgorithm(alg)) {
    throw malformed('is signed with an algorithm that is not accepted')
  }
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > 256))
    throw malformed('has a strange `kid`')
  const found = await keySet.find(kid === undefined ? { alg } : { alg, kid })
  if (found.outcome === 'unavailable') {
    throw new OAuthFailure('unreachable', "the provider's keys cannot be had to check its answer", {
      retryAfter: found.retryAfter,
    })
  }
  if (found.outcome !== 'found' || !keyFits(alg, found.key)) {
    throw malformed("is signed with a key that is not among the provider's")
  }
  if (!holdsSignature(alg, found.key.key, signed, signature)) throw malformed('has a bad signature')
}

function judgeClaims(
  claims: Readonly<Record<string, unknown>>,
  { acceptsIssuer, client, audience, clock, clockSkew }: IntrospectorOptions,
): void {
  const { iss, aud, iat, exp, nbf } = claims
  if (typeof iss !== 'string' || !acceptsIssuer(iss)) throw malformed('is a statement of another issuer')
  const named = audiencesOf(aud) ?? []
  if (!named.some((each) => each === client.id || audience.includes(each))) {
    throw malformed('is addressed to somebody else')
  }
  if (typeof iat !== 'number' || Math.abs(clock.now() - iat * 1000) > freshFor + clockSkew) {
    throw malformed('was not made just now')
  }
  // RFC 9701 wants neither there, lest the answer be taken for a token; one that is there still says until when it holds.
  if (!isWithin(exp, nbf, clock.now(), clockSkew)) throw malformed('does not hold at this time')
}

function isWithin(exp: unknown, nbf: unknown, now: number, clockSkew: number): boolean {
  const isAlive = exp === undefined || (typeof exp === 'number' && now < exp * 1000 + clockSkew)
  return isAlive && (nbf === undefined || (typeof nbf === 'number' && now >= nbf * 1000 - clockSkew))
}

function malformed(what: string): OAuthFailure {
  return new OAuthFailure('malformed', `the signed introspection answer ${what}`)
}
