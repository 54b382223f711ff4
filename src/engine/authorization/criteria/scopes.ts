import { refuse } from '../../outcome.ts'
import type { Criterion } from '../evaluate.ts'
import { refuseWithheld } from './withheld.ts'

/** All of the scopes are there. */
export function compileScopes(required: readonly string[]): Criterion {
  return {
    judge({ identity }) {
      for (const scope of required) {
        if (identity?.scopes.includes(scope) !== true)
          return (
            refuseWithheld(identity, ['scopes']) ?? refuse('scope_missing', { detail: `scope "${scope}"` })
          )
      }
      return undefined
    },
    claimsRead: [],
  }
}
