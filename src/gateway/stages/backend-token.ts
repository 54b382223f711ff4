/** Gets the token that a route's backend wants, for the caller or for the gateway itself. Without it nothing is forwarded. */
import type { SubjectToken } from '../../engine/authenticators/authenticator.ts'
import { refuse, type Refusal } from '../../engine/outcome.ts'
import type { CachedToken } from '../../remote/token-cache.ts'
import type { BackendTokens } from '../backend-tokens.ts'
import type { ExchangeState } from '../exchange-state.ts'
import type { StageResult } from '../stage.ts'

export function getBackendToken(exchange: ExchangeState): StageResult | Promise<StageResult> {
  const tokens = exchange.compiled!.backendTokens
  if (tokens === undefined) return undefined
  if (tokens.grant === 'client_credentials') return awaiting(exchange, tokens.get())
  // Nobody came (an optional credential): there is nobody to speak for, and the backend is told nothing.
  if (exchange.proofs.length === 0) return undefined
  const subject = subjectOf(exchange)
  return subject instanceof Promise
    ? subject.then((found) => exchangeFor(exchange, tokens, found))
    : exchangeFor(exchange, tokens, subject)
}

/** The backend did not take it: the next request gets another. */
export function dropBackendToken({ backendToken, compiled }: ExchangeState): void {
  if (backendToken !== undefined) compiled?.backendTokens?.drop(backendToken)
}

/** With several proven credentials, the first that is a token or stands for one. */
function subjectOf({ proofs }: ExchangeState): SubjectToken | undefined | Promise<SubjectToken | undefined> {
  for (const { authenticator, verified, presented } of proofs) {
    if (authenticator.subjectToken !== undefined) return authenticator.subjectToken(verified, presented)
  }
  return undefined
}

function exchangeFor(
  exchange: ExchangeState,
  tokens: BackendTokens,
  subject: SubjectToken | undefined,
): StageResult | Promise<StageResult> {
  return subject === undefined
    ? refuse('backend_token_refused', { status: 502, detail: 'the credential brings no token to exchange' })
    : awaiting(
        exchange,
        tokens.get(subject, Math.min(subject.expiresAt ?? Infinity, exchange.credential!.expiresAt)),
      )
}

function awaiting(
  exchange: ExchangeState,
  found: CachedToken | Promise<CachedToken>,
): StageResult | Promise<StageResult> {
  return found instanceof Promise ? found.then((settled) => take(exchange, settled)) : take(exchange, found)
}

function take(exchange: ExchangeState, found: CachedToken): StageResult {
  if (found.outcome === 'failed') return refusalOf(found)
  exchange.backendToken = found
  return undefined
}

/** A provider that cannot answer now is 503; one that answers, and gives no token, is 502: waiting does not mend it. */
function refusalOf({ fault, detail, retryAfter }: CachedToken & { outcome: 'failed' }): Refusal {
  return fault === 'unreachable' || fault === 'server_error'
    ? refuse('backend_token_unavailable', { detail, retryAfter: Math.max(1, Math.ceil(retryAfter / 1_000)) })
    : refuse('backend_token_refused', { detail, status: 502 })
}
