/**
 * Step 6 of a request's way: what a proven identity may do. All criteria must hold; each is a file under `criteria/`, and they are
 * asked in one order, so that the same request is refused for the same reason each time. Never mixed with the proof of who it is.
 */
import type { AuthorizeSettings } from '../../configuration.ts'
import type { Identity } from '../identity.ts'
import type { Refusal } from '../outcome.ts'
import type { GatewayRequest } from '../request.ts'
import { compileAcr } from './criteria/acr.ts'
import { compileAddresses } from './criteria/addresses.ts'
import { compileClaims } from './criteria/claims.ts'
import { compileMaxAge } from './criteria/max-age.ts'
import { compileRoles } from './criteria/roles.ts'
import { compileScopes } from './criteria/scopes.ts'
import { compileWhen } from './criteria/when.ts'

export interface AuthorizationFacts {
  /** Undefined for a caller without a credential: whatever asks for an identity then fails. */
  readonly identity: Identity | undefined
  readonly request: GatewayRequest
  readonly routeId: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** One demand, compiled. */
export interface Criterion {
  readonly judge: (facts: AuthorizationFacts) => Refusal | undefined
  /** Names of claims that it reads; `*` when it may read any. */
  readonly claimsRead: readonly string[]
}

/** A route's `authorize`, compiled once. */
export interface Authorization {
  readonly criteria: readonly Criterion[]
  /** Names of claims that a criterion reads, for the audit event; `*` when it may read any. */
  readonly claimsRead: readonly string[]
}

/** @throws {TypeError} on a condition that `checkCondition` refuses, or a range that is none */
export function compileAuthorize(settings: AuthorizeSettings): Authorization {
  const { addresses, scopes, roles, claims, acr, maxAge, when } = settings
  const criteria: Criterion[] = []
  if (addresses !== undefined) criteria.push(compileAddresses(addresses))
  if (scopes !== undefined) criteria.push(compileScopes(scopes))
  if (roles !== undefined) criteria.push(compileRoles(roles))
  if (claims !== undefined) criteria.push(compileClaims(claims))
  if (acr !== undefined) criteria.push(compileAcr(acr))
  if (maxAge !== undefined) criteria.push(compileMaxAge(maxAge))
  if (when !== undefined) criteria.push(compileWhen(when))
  const claimsRead = new Set(criteria.flatMap((criterion) => criterion.claimsRead))
  return Object.freeze({ criteria, claimsRead: [...claimsRead].sort() })
}

/** @returns the first refusal, or undefined when all criteria hold; the challenge of a 401 or `insufficient_scope` is the caller's */
export function evaluate(authorization: Authorization, facts: AuthorizationFacts): Refusal | undefined {
  for (const { judge } of authorization.criteria) {
    const refusal = judge(facts)
    if (refusal !== undefined) return refusal
  }
  return undefined
}
