import { compileRanges } from '../../addresses.ts'
import { refuse } from '../../outcome.ts'
import type { Criterion } from '../evaluate.ts'

/** The client's address, by the rule of trusted proxies, lies in one of the ranges. */
export function compileAddresses(ranges: readonly string[]): Criterion {
  const allowed = compileRanges(ranges)
  const refusal = Object.freeze(refuse('address_refused'))
  return { judge: ({ request }) => (allowed.has(request.clientIp) ? undefined : refusal), claimsRead: [] }
}
