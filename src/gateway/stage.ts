import type { Refusal } from '../engine/outcome.ts'
import type { ExchangeState } from './exchange-state.ts'

/** A stage answered the client itself: nothing is left to do. */
export const answered: unique symbol = Symbol('answered')
export type StageResult = Refusal | typeof answered | undefined

/** `type` is what the audit event of a refusal at this stage is called. */
export interface Stage {
  readonly name: string
  readonly type: 'authentication' | 'authorization' | 'rate_limit'
  readonly run: (exchange: ExchangeState) => StageResult | Promise<StageResult>
}
