/** One of the gateway's own endpoints on the listeners: answered before any route, never proxied. */
import type { Refusal } from '../../engine/outcome.ts'
import type { Answer } from '../../exchange.ts'
import type { ExchangeState } from '../exchange-state.ts'

export interface OwnEndpoint {
  /** @param path the normalised path @returns whether it is this endpoint's, whatever the method */
  matches(path: string): boolean
  /** For `Allow`; GET and HEAD share an answer. */
  readonly methods: readonly string[]
  /** Undefined: as if there were no such endpoint. Not recorded as a decision: what must be told is told by the endpoint. */
  answer(exchange: ExchangeState): EndpointAnswer | Promise<EndpointAnswer>
}

export type EndpointAnswer = Answer | Refusal | undefined
