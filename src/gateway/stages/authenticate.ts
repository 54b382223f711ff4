/** Step 4: the proof of who is calling, and the rule for credentials that travel without the page's intent. */
import { authenticate, type Authentication } from '../../engine/authenticate.ts'
import { checkRequestOrigin, normalOrigin, travelsByItself } from '../../engine/origin.ts'
import { refuse } from '../../engine/outcome.ts'
import type { ExchangeState } from '../exchange-state.ts'
import type { StageResult } from '../stage.ts'

export function authenticateCaller(exchange: ExchangeState): StageResult | Promise<StageResult> {
  const { compiled, request, snapshot } = exchange
  const result = authenticate(compiled!.chain, request, snapshot.guard)
  return result instanceof Promise
    ? result.then((settled) => settle(exchange, settled))
    : settle(exchange, result)
}

function settle(exchange: ExchangeState, result: Authentication): StageResult {
  const { metrics } = exchange.snapshot.services
  switch (result.outcome) {
    case 'anonymous':
      return undefined
    case 'authenticated': {
      const { maxStale, then } = exchange.snapshot.configuration.outage.revocations
      const { clock, revocations } = exchange.snapshot.services
      // A list that may be out of date cannot say that this credential still stands.
      if (then === 'refuse' && revocations.staleFor(clock.now()) > maxStale)
        return refuse('revocations_stale', { retryAfter: 1 })
      exchange.identity = result.identity
      exchange.credential = result.credential
      exchange.presented = result.presented
      exchange.proofs = result.proofs
      metrics.authentication(result.identity.method, 'verified', '').add()
      return undefined
    }
    case 'refused':
      exchange.judgedBy = result.authenticator
      exchange.judged = result.presented
      exchange.judgedId = result.credentialId
      metrics.authentication(result.authenticator ?? 'none', 'rejected', result.refusal.reason).add()
      if (result.refusal.code === 'locked_out') metrics.lockedOut()
      return result.refusal
  }
}

export function checkOrigin(exchange: ExchangeState): StageResult {
  const { credential, compiled } = exchange
  if (credential === undefined || !travelsByItself(credential.place)) return undefined
  return checkRequestOrigin({
    place: credential.place,
    request: exchange.request,
    isUpgrade: exchange.server.isUpgrade,
    ownOrigin: ownOrigin(exchange),
    cors: compiled!.settings.cors,
  })
}

/** The public origin whose host is the request's; without any `publicUrl`, the one that the request was sent to. */
function ownOrigin(exchange: ExchangeState): string | undefined {
  const { scheme, host, port } = exchange.client!
  const { publicUrl } = exchange.server.connection.listener
  const listed = publicUrl.length > 0 ? publicUrl : exchange.snapshot.configuration.publicUrl
  if (listed.length > 0) return listed.find((origin) => new URL(origin).hostname === host)
  return normalOrigin(`${scheme}://${host}${port === undefined ? '' : `:${port}`}`)
}
