/** When a token is good. */
import type { Claims } from '../../providers/profile.ts'
import { rejected, type Rejected } from '../../outcome.ts'

/** A token's times, checked to be times. Milliseconds since the epoch. */
export interface Times {
  readonly expires: number
  readonly notBefore?: number
  readonly issued?: number
}

export interface TimeRules {
  /** Milliseconds, as all here. */
  readonly clockSkew: number
  readonly maxLifetime?: number
}

/** The last second that a date can name. */
const lastSecond = 8.64e12

/**
 * Reads `exp`, `nbf` and `iat`.
 * @see RFC 7519 section 2 (NumericDate). JSON.parse makes Infinity of 1e999, which would never expire.
 */
export function readTimes({ exp, nbf, iat }: Claims): Times | Rejected {
  if (!isSecond(exp) || exp === 0) return rejected('token_claim', '`exp` is missing or not a time')
  if (nbf !== undefined && !isSecond(nbf)) return rejected('token_claim', '`nbf` is not a time')
  if (iat !== undefined && !isSecond(iat)) return rejected('token_claim', '`iat` is not a time')
  return {
    expires: exp * 1000,
    ...(nbf === undefined ? {} : { notBefore: nbf * 1000 }),
    ...(iat === undefined ? {} : { issued: iat * 1000 }),
  }
}

/** All but expiry, which is only told of a token that is good in every other way. */
export function judgeTimes(times: Times, now: number, rules: TimeRules): Rejected | undefined {
  if (now < earliest(times, rules)) return rejected('token_not_yet_valid')
  if (rules.maxLifetime === undefined) return undefined
  if (times.issued === undefined)
    return rejected('token_lifetime', '`iat` is missing, so the lifetime has no bound')
  return times.expires - times.issued > rules.maxLifetime
    ? rejected('token_lifetime', 'exp − iat is longer than maxLifetime')
    : undefined
}

/** The first instant at which the token may be used. */
export function earliest({ notBefore, issued }: Times, { clockSkew }: TimeRules): number {
  return Math.max(notBefore ?? 0, issued ?? 0) - clockSkew
}

/** The first instant at which the token is expired. */
export function deadline({ expires }: Times, { clockSkew }: TimeRules): number {
  return expires + clockSkew
}

function isSecond(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= lastSecond
}
