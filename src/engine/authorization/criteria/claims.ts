import { refuse } from '../../outcome.ts'
import type { Criterion } from '../evaluate.ts'
import { refuseWithheld } from './withheld.ts'

type ClaimValue = string | number | boolean

/** For each path: the claim, or one element of it, equals one of the values, of the same JSON type. */
export function compileClaims(claims: Readonly<Record<string, readonly ClaimValue[]>>): Criterion {
  const demands = Object.entries(claims).map(([path, values]) => {
    return { path, names: path.split('.'), values: new Set<unknown>(values) }
  })
  return {
    judge({ identity }) {
      for (const { path, names, values } of demands) {
        const claim = identity === undefined ? undefined : claimAt(identity.claims, path, names)
        // A Set compares without conversion: "1" is not 1, and "true" is not true.
        const holds = Array.isArray(claim) ? claim.some((element) => values.has(element)) : values.has(claim)
        if (!holds) {
          return (
            refuseWithheld(identity, [path, names[0]!]) ??
            refuse('claim_mismatch', { detail: `claim "${path}"` })
          )
        }
      }
      return undefined
    },
    claimsRead: demands.flatMap(({ path, names }) => (names.length > 1 ? [path, names[0]!] : [path])),
  }
}

/** A member of exactly this name first (`https://example.com/roles`), then the path, a name for each level. */
function claimAt(claims: Readonly<Record<string, unknown>>, path: string, names: readonly string[]): unknown {
  // Own members only: every object inherits a `constructor` that no provider vouched for.
  if (Object.hasOwn(claims, path)) return claims[path]
  let value: unknown = claims
  for (const name of names) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) {
      return undefined
    }
    value = (value as Record<string, unknown>)[name]
  }
  return value
}
