import type { Identity } from '../../identity.ts'
import { refuse, type Refusal } from '../../outcome.ts'

/**
 * A provider that leaves groups out of a token because they are too many says neither that the caller is in one nor that
 * he is not. A condition on them is refused as that, and never answered by guessing.
 * @param reads names of claims and of parts (`roles`, `scopes`) that the condition reads; `*` for any
 */
export function refuseWithheld(
  identity: Identity | undefined,
  reads: readonly string[],
): Refusal | undefined {
  const withheld = identity?.withheld
  if (withheld === undefined) return undefined
  const name = reads.includes('*') ? withheld[0] : withheld.find((each) => reads.includes(each))
  if (name === undefined) return undefined
  return refuse('claim_withheld', {
    detail: `the provider left "${name}" out of the token (too many, or kept elsewhere), so nobody can tell whether the condition holds`,
  })
}
