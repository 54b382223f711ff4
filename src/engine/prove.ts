/** One credential before one authenticator: from memory first, never past the guard, and held to the key that it is bound to. */
import { isGuess } from './errors.ts'
import { rejected, type Outcome } from './outcome.ts'
import type { Authenticator, Presented } from './authenticators/authenticator.ts'
import type { GuessGuard } from './authenticate.ts'
import type { GatewayRequest } from './request.ts'

/** What is not known to be good passes the guard before it may cost a hash or a signature. */
export function prove(
  authenticator: Authenticator,
  presented: Presented,
  request: GatewayRequest,
  guard: GuessGuard,
): Outcome | Promise<Outcome> {
  const recalled = authenticator.recall(presented, request)
  if (recalled !== undefined) return held(authenticator, recalled, presented, request, guard)
  const wait = guard.admit(request.clientIp)
  if (wait > 0) return { outcome: 'rejected', reason: 'lockout', retryAfter: wait }
  const outcome = authenticator.verify(presented, request)
  return outcome instanceof Promise
    ? outcome.then((settled) => held(authenticator, settled, presented, request, guard))
    : held(authenticator, outcome, presented, request, guard)
}

/** A credential that says whose key it is bound to never passes without that key's proof, whoever accepted it. */
function held(
  authenticator: Authenticator,
  outcome: Outcome,
  presented: Presented,
  request: GatewayRequest,
  guard: GuessGuard,
): Outcome | Promise<Outcome> {
  if (outcome.outcome !== 'verified') return counted(outcome, presented, request, guard)
  const { binding } = authenticator
  if (binding === undefined) {
    return outcome.credential.confirmation === undefined
      ? outcome
      : rejected(
          'token_bound',
          `${authenticator.name} has no way to check the key that the credential is bound to`,
        )
  }
  const judged = binding.judge(outcome, presented, request)
  return judged instanceof Promise
    ? judged.then((settled) => counted(settled, presented, request, guard))
    : counted(judged, presented, request, guard)
}

function counted(
  outcome: Outcome,
  presented: Presented,
  request: GatewayRequest,
  guard: GuessGuard,
): Outcome {
  if (outcome.outcome === 'rejected' && isGuess(outcome.reason))
    guard.failed(request.clientIp, presented.value)
  return outcome
}
