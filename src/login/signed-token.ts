/** A token that the provider signed for us, and that its published keys prove: the part that ID tokens and logout tokens share. */
import { createHash, timingSafeEqual } from 'node:crypto'
import { publicKeyAlgorithms, isPublicKeyAlgorithm } from '../engine/authenticators/jwt/algorithms.ts'
import { audiencesOf } from '../engine/authenticators/jwt/claims.ts'
import { parseCompact, type CompactToken } from '../engine/authenticators/jwt/compact.ts'
import { judgeSignature } from '../engine/authenticators/jwt/judge-signature.ts'
import { readTimes } from '../engine/authenticators/jwt/times.ts'
import type { Claims } from '../engine/providers/profile.ts'
import type { Clock } from '../ports/clock.ts'
import type { LoginProvider } from './dependencies.ts'
import { Away, Unbelievable } from './fault.ts'

export interface SignedToken {
  readonly claims: Claims
  readonly alg: string
}

export interface TokenRules {
  readonly provider: Pick<LoginProvider, 'profile' | 'keySet'>
  readonly clock: Clock
  /** Client ids, of which `aud` must name one. */
  readonly clients: readonly string[]
  /** Header types besides none and `JWT`, lower-case, without `application/`. */
  readonly types: readonly string[]
}

/**
 * Signature by a published key, issuer, audience, `exp` and `iat`.
 * @throws Unbelievable, or Away when the keys cannot be had
 * @see OpenID Connect Core 1.0 section 3.1.3.7, RFC 8725
 */
export async function readSignedToken(token: string, rules: TokenRules): Promise<SignedToken> {
  const parsed = parseCompact(token)
  if (parsed === undefined) throw new Unbelievable('the token is no JWS')
  const alg = judgeHeader(parsed, rules.types)
  const { profile } = rules.provider
  const { claims } = parsed
  const { iss } = claims
  if (typeof iss !== 'string' || !profile.acceptsIssuer(iss))
    throw new Unbelievable('`iss` is another issuer')
  const fault = profile.issuerFault(claims)
  if (fault !== undefined) throw new Unbelievable(fault)
  const audiences = audiencesOf(claims['aud']) ?? []
  if (!rules.clients.some((client) => audiences.includes(client)))
    throw new Unbelievable('`aud` is another client')
  judgeTimes(claims, rules)
  await proveSignature(parsed, alg, rules)
  return { claims, alg }
}

function judgeHeader({ header }: CompactToken, types: readonly string[]): string {
  const { alg, typ } = header
  if (typeof alg !== 'string' || !isPublicKeyAlgorithm(alg))
    throw new Unbelievable('`alg` is not one that is taken')
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64') || Object.hasOwn(header, 'enc'))
    throw new Unbelievable('the header demands what is not understood')
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ
  if (type !== undefined && type !== 'jwt' && !(typeof type === 'string' && types.includes(type)))
    throw new Unbelievable('`typ` is another kind of token')
  return alg
}

function judgeTimes(claims: Claims, { clock, provider }: TokenRules): void {
  const times = readTimes(claims)
  if ('outcome' in times) throw new Unbelievable(times.detail ?? 'the times cannot be read')
  const { clockSkew } = provider.profile
  const now = clock.now()
  if (times.issued === undefined) throw new Unbelievable('`iat` is missing')
  if (now >= times.expires + clockSkew) throw new Unbelievable('the token has expired')
  if (now < Math.max(times.issued, times.notBefore ?? 0) - clockSkew)
    throw new Unbelievable('the token is not valid yet')
}

async function proveSignature(token: CompactToken, alg: string, { provider }: TokenRules): Promise<void> {
  const { kid } = token.header
  if (kid !== undefined && typeof kid !== 'string') throw new Unbelievable('`kid` is no string')
  const source = await provider.keySet.find(kid === undefined ? { alg } : { alg, kid })
  const fault = judgeSignature(alg, token, source, { secret: undefined, profile: provider.profile })
  if (fault === undefined) return
  if (fault.reason === 'key_set_unavailable') throw new Away('the keys of the provider cannot be fetched')
  throw new Unbelievable(fault.detail ?? `the signature does not hold: ${fault.reason}`)
}

/**
 * @returns whether a hash claim (`at_hash`) is that of the value
 * @see OpenID Connect Core 1.0 section 3.1.3.6
 */
export function holdsHash(claim: unknown, value: string, alg: string): boolean {
  if (typeof claim !== 'string') return false
  const hash = isPublicKeyAlgorithm(alg) ? (publicKeyAlgorithms[alg].hash ?? 'sha512') : 'sha256'
  const digest = createHash(hash).update(value, 'ascii').digest()
  const expected = Buffer.from(digest.subarray(0, digest.length / 2).toString('base64url'))
  const found = Buffer.from(claim)
  return found.length === expected.length && timingSafeEqual(found, expected)
}
