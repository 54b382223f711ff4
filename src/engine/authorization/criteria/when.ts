import { refuse } from '../../outcome.ts'
import { compileCondition } from '../cel/condition.ts'
import type { Criterion } from '../evaluate.ts'

/** The condition is `true`. What cannot be evaluated is refused, and told apart in the audit log. */
export function compileWhen(expression: string): Criterion {
  const condition = compileCondition(expression)
  const isFalse = Object.freeze(refuse('condition_false'))
  const isError = Object.freeze(
    refuse('condition_error', { detail: 'a missing member, a wrong type, or a repeated field or parameter' }),
  )
  return {
    judge(facts) {
      const result = condition.evaluate(facts)
      return result === true ? undefined : result === false ? isFalse : isError
    },
    claimsRead: condition.claimsRead,
  }
}
