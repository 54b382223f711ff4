import { refuse } from '../../outcome.ts'
import type { Criterion } from '../evaluate.ts'

/** The user was authenticated in one of these ways. @see RFC 9470, section 3 */
export function compileAcr(accepted: readonly string[]): Criterion {
  const refusal = Object.freeze(refuse('acr_missing'))
  return {
    judge({ identity }) {
      const acr = identity?.claims['acr']
      return typeof acr === 'string' && accepted.includes(acr) ? undefined : refusal
    },
    claimsRead: ['acr'],
  }
}
