/** Step 5: address limits before the proof, the others after it and before authorization, so that a 403 costs a token. */
import type { ExchangeState } from '../exchange-state.ts'
import type { StageResult } from '../stage.ts'

export function limitAddress(exchange: ExchangeState): StageResult | Promise<StageResult> {
  const limits = exchange.compiled!.limits
  return limits.isEmpty ? undefined : exchange.snapshot.services.limiter.takeByAddress(limits, exchange)
}

export function limitCaller(exchange: ExchangeState): StageResult | Promise<StageResult> {
  const limits = exchange.compiled!.limits
  if (limits.isEmpty && exchange.credential?.rateLimit === undefined) return undefined
  return exchange.snapshot.services.limiter.takeByCaller(limits, exchange)
}
