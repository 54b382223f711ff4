/** `all`: each member must be there and hold. */
import { reads, type Chain } from './chain.ts'
import { prove } from './prove.ts'
import { readCertificate, readPlace } from './present.ts'
import { authenticatedBy, refused, refusedUnread } from './refused.ts'
import { isPromise, withAbsent } from './settle.ts'
import { rejected, type Outcome } from './outcome.ts'
import type { Authentication, GuessGuard, Proof } from './authenticate.ts'
import type { Authenticator, Presented } from './authenticators/authenticator.ts'
import type { GatewayRequest } from './request.ts'

export function authenticateAll(
  chain: Chain,
  request: GatewayRequest,
  guard: GuessGuard,
): Authentication | Promise<Authentication> {
  const found: Presented[] = []
  for (const reader of chain.places) {
    const read = readPlace(reader, request)
    if (read === undefined) continue
    if ('outcome' in read) return refusedUnread(chain, read, request)
    found.push(read)
  }
  const certificate = chain.byCertificate.length === 0 ? undefined : readCertificate(request)
  if (certificate !== undefined) found.push(certificate)
  const pairs: [Authenticator, Presented][] = []
  for (const member of chain.authenticators) {
    const own = found.filter(
      (presented) => reads(member, presented) && !pairs.some(([, taken]) => taken === presented),
    )
    if (own.length > 1) return refused(chain, rejected('several_credentials', member.name))
    const [presented] = own
    if (presented === undefined) return refused(chain, rejected('no_credential', member.name))
    if (member.takes(presented) === 'no')
      return refused(chain, rejected('no_authenticator_takes_it', member.name), { presented })
    pairs.push([member, presented])
  }
  if (pairs.length < found.length) return refused(chain, rejected('several_credentials'))
  return proveEach({ chain, request, guard, pairs, found }, [])
}

interface Proving {
  readonly chain: Chain
  readonly request: GatewayRequest
  readonly guard: GuessGuard
  readonly pairs: readonly (readonly [Authenticator, Presented])[]
  readonly found: readonly Presented[]
}

/** One after the other: after the first that does not hold, nothing more is computed. */
function proveEach(proving: Proving, proofs: Proof[]): Authentication | Promise<Authentication> {
  const { request, guard, pairs, found } = proving
  while (proofs.length < pairs.length) {
    const [authenticator, presented] = pairs[proofs.length]!
    const outcome = prove(authenticator, presented, request, guard)
    if (isPromise(outcome))
      return outcome.then((settled) => take(proving, proofs, settled) ?? proveEach(proving, proofs))
    const refusal = take(proving, proofs, outcome)
    if (refusal !== undefined) return refusal
  }
  return authenticatedBy(proofs, found)
}

function take(
  { chain, request, pairs }: Proving,
  proofs: Proof[],
  outcome: Outcome,
): Authentication | undefined {
  const [authenticator, presented] = pairs[proofs.length]!
  if (outcome.outcome === 'rejected') return refused(chain, outcome, { presented, authenticator })
  if (outcome.outcome === 'absent')
    return withAbsent(refused(chain, rejected(outcome.reason, authenticator.name)), outcome)
  proofs.push({ authenticator, presented, verified: outcome, request })
  return undefined
}
