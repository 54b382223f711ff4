import { refuse } from '../../outcome.ts'
import type { Criterion } from '../evaluate.ts'
import { refuseWithheld } from './withheld.ts'

/** Any of the roles is there; an empty list lets nobody in. */
export function compileRoles(roles: readonly string[]): Criterion {
  const refusal = Object.freeze(refuse('role_missing', { detail: `none of the roles ${roles.join(', ')}` }))
  return {
    judge: ({ identity }) =>
      identity?.roles.some((role) => roles.includes(role)) === true
        ? undefined
        : (refuseWithheld(identity, ['roles']) ?? refusal),
    claimsRead: [],
  }
}
