import { refuse } from '../../outcome.ts'
import { compileCondition } from '../cel/condition.ts'
import type { Criterion } from '../evaluate.ts'
import { refuseWithheld } from './withheld.ts'

/** The condition is `true`. What cannot be evaluated is refused, and told apart in the audit log. */
export function compileWhen(expression: string): Criterion {
  const condition = compileCondition(expression)
  const isFalse = Object.freeze(refuse('condition_false'))
  const isError = Object.freeze(
    refuse('condition_error', { detail: 'a missing member, a wrong type, or a repeated field or parameter' }),
  )
  const reads = [...condition.claimsRead, ...condition.partsRead]
  return {
    judge(facts) {
      // Asked first: "not in the group" would hold of everybody whose groups did not fit into the token.
      const withheld = refuseWithheld(facts.identity, reads)
      if (withheld !== undefined) return withheld
      const result = condition.evaluate(facts)
      return result === true ? undefined : result === false ? isFalse : isError
    },
    claimsRead: condition.claimsRead,
  }
}
