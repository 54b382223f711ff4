/** The admission goes to the audit log before the request passes; in strict mode it waits for the disk. */
import { refuse } from '../../engine/outcome.ts'
import { decisionEvent } from '../decision-event.ts'
import type { ExchangeState } from '../exchange-state.ts'
import type { StageResult } from '../stage.ts'

export function recordAdmission(exchange: ExchangeState): StageResult | Promise<StageResult> {
  const { services } = exchange.snapshot
  exchange.decisionMs = performance.now() - exchange.startedAt
  exchange.isRecorded = true
  const written = services.audit.record(decisionEvent(exchange, 'authorization', undefined))
  if (written === undefined) return undefined
  return written.then(
    () => undefined,
    (error: unknown) => {
      services.log.error({ err: error }, 'the audit log cannot be written: refusing')
      return refuse('audit_unavailable')
    },
  )
}
