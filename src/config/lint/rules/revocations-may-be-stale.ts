import type { Rule } from '../rule.ts'

export const revocationsMayBeStale: Rule = {
  id: 'revocations-may-be-stale',
  severity: 'warning',
  about:
    'While the store is away, requests pass without news of revocations (`outage.revocations.then: allow`).',
  fix: 'Use `then: refuse`.',
  *find({ outage }) {
    if (outage.revocations.then === 'allow') {
      yield {
        path: 'outage.revocations.then',
        message: 'a revoked credential passes while the store is away',
      }
    }
  },
}
