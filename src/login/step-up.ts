/** What a route demands of the login itself (RFC 9470): asked of the provider, and checked when the user is back. */
import type { Claims } from '../engine/providers/profile.ts'
import type { LoginDependencies } from './dependencies.ts'

export interface StepUp {
  readonly acr?: readonly string[]
  /** Milliseconds. */
  readonly maxAge?: number
}

/** How far a provider's clock may be ahead before its `auth_time` is not believed. Milliseconds. */
const ahead = 60_000

/** @returns undefined for a route that is not there, or demands nothing */
export function stepUpOf(
  { configuration }: Pick<LoginDependencies, 'configuration'>,
  route: string,
): StepUp | undefined {
  const authorize = configuration.routes.find(({ id }) => id === route)?.authorize
  if (authorize?.acr === undefined && authorize?.maxAge === undefined) return undefined
  return {
    ...(authorize.acr === undefined ? {} : { acr: authorize.acr }),
    ...(authorize.maxAge === undefined ? {} : { maxAge: authorize.maxAge }),
  }
}

/** Parameters of the authorization request. @see OpenID Connect Core 1.0 section 3.1.2.1 */
export function stepUpParameters({ acr, maxAge }: StepUp): Record<string, string> {
  return {
    ...(acr === undefined ? {} : { acr_values: acr.join(' ') }),
    ...(maxAge === undefined ? {} : { max_age: String(Math.floor(maxAge / 1000)) }),
  }
}

/** @returns what the new ID token lacks; undefined when it has what was demanded */
export function stepUpFault(
  { acr, maxAge }: StepUp,
  claims: Claims,
  now: number,
): 'acr_missing' | 'authentication_too_old' | undefined {
  if (acr !== undefined && !(typeof claims['acr'] === 'string' && acr.includes(claims['acr'])))
    return 'acr_missing'
  if (maxAge === undefined) return undefined
  const authTime = claims['auth_time']
  if (typeof authTime !== 'number') return 'authentication_too_old'
  const age = now - authTime * 1000
  return age <= maxAge && age >= -ahead ? undefined : 'authentication_too_old'
}
