import type { FieldLines, LimitState } from '../exchange.ts'
import { unspent, type CompiledLimits } from './rate-limit.ts'

/**
 * `RateLimit-Policy` and `RateLimit` for an answer of a limited route: the tightest of the limits that were taken, the refusing one
 * on a refusal (it came last); before anything was taken, the tightest of the route, unspent.
 *
 * @see draft-ietf-httpapi-ratelimit-headers, sections 3 and 4
 */
export function rateLimitFields(limits: CompiledLimits, taken: readonly LimitState[]): FieldLines {
  const shown =
    tightest(taken) ?? tightest([...limits.byAddress, ...limits.byCaller].map((limit) => unspent(limit)))
  if (shown === undefined) return []
  const { quota, window, remaining, reset } = shown
  return [
    'RateLimit-Policy',
    `"default";q=${quota};w=${window}`,
    'RateLimit',
    `"default";r=${remaining};t=${reset}`,
  ]
}

/** The one of which the fewest requests are left; among equals the later. */
function tightest(states: readonly LimitState[]): LimitState | undefined {
  let found = states[0]
  for (const state of states) if (state.remaining <= found!.remaining) found = state
  return found
}
