import { refuse } from '../../outcome.ts'
import type { Criterion } from '../evaluate.ts'

/** How far a provider's clock may be ahead before its `auth_time` is not believed. Milliseconds. */
const ahead = 60_000

/** The user authenticated no longer ago than this. A token without `auth_time` cannot say so. @see RFC 9470, section 3 */
export function compileMaxAge(maxAge: number): Criterion {
  const refusal = Object.freeze(refuse('authentication_too_old'))
  return {
    judge({ identity, now }) {
      const authTime = identity?.claims['auth_time']
      if (typeof authTime !== 'number') return refusal
      const age = now - authTime * 1000
      return age <= maxAge && age >= -ahead ? undefined : refusal
    },
    claimsRead: ['auth_time'],
  }
}
