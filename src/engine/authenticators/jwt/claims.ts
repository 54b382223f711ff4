/** Whose token it is and for whom: the cheap checks, made before a key is looked for. */
import { judgeIssuer } from '../../providers/judge-issuer.ts'
import { confirmationOf } from '../../bindings/confirmation.ts'
import type { Claims, Profile } from '../../providers/profile.ts'
import { rejected, type Rejected } from '../../outcome.ts'

export interface ClaimRules {
  readonly profile: Profile
  /** Undefined where the profile's own rule stands in. */
  readonly audience: readonly string[] | 'any' | undefined
  /** Names, or dotted paths. */
  readonly requiredClaims: readonly string[]
}

/** @see RFC 7519 section 4.1, RFC 8725 sections 3.8 and 3.9 */
export function judgeClaims(claims: Claims, rules: ClaimRules): Rejected | undefined {
  const stranger = judgeIssuer(claims, rules.profile)
  if (stranger !== undefined) return stranger
  const audiences = audiencesOf(claims['aud'])
  if (audiences === undefined || !isAddressedTo(rules.audience, audiences)) return rejected('token_audience')
  // Logout and security event tokens are signed by the same keys, and prove nothing about a caller.
  if (Object.hasOwn(claims, 'events')) return rejected('token_kind', 'a security event token')
  // Held to a key in a way that nobody here can check: whoever has the token, it is of no use.
  const strange = confirmationOf(claims)?.unknown
  if (strange !== undefined)
    return rejected('token_bound', `a confirmation that is not understood: ${strange}`)
  const missing = rules.requiredClaims.find((name) => !hasClaim(claims, name))
  return missing === undefined ? undefined : rejected('token_claim', `required claim ${missing} is missing`)
}

/** A name may hold dots itself (`https://example.com/team`). */
function hasClaim(claims: Claims, name: string): boolean {
  return readClaim(claims, [name]) !== undefined || readClaim(claims, name.split('.')) !== undefined
}

/** @returns `aud` as a list; empty when there is none; undefined when it is no audience at all */
export function audiencesOf(aud: unknown): readonly string[] | undefined {
  if (aud === undefined) return []
  if (typeof aud === 'string') return [aud]
  return Array.isArray(aud) && aud.every((each) => typeof each === 'string') ? aud : undefined
}

export function isAddressedTo(expected: ClaimRules['audience'], audiences: readonly string[]): boolean {
  if (expected === undefined || expected === 'any') return true
  return expected.some((each) => audiences.includes(each))
}

/** @returns the value at a claim path; undefined when it is not there or null. Never looks at inherited members. */
export function readClaim(claims: Claims, path: readonly string[]): unknown {
  let value: unknown = claims
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Claims)[name]
  }
  return value ?? undefined
}
