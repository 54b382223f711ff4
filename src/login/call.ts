import type { Refusal } from '../engine/outcome.ts'
import { refuse } from '../engine/outcome.ts'
import type { GatewayRequest } from '../engine/request.ts'
import type { Answer } from '../exchange.ts'

/** One request to an endpoint of this room. */
export interface LoginCall {
  readonly request: GatewayRequest
  readonly requestId: string
  /** The public origin that it was sent to. */
  readonly origin: string
  /** Of a POST. */
  readonly form: URLSearchParams
}

export type LoginAnswer = Answer | Refusal

/** @returns the parameter; undefined when there is none; a refusal when it is there twice: two readers would take two values */
export function parameterOf(from: URLSearchParams, name: string): string | Refusal | undefined {
  const values = from.getAll(name)
  return values.length > 1 ? refuse('parameter_repeated', { detail: name }) : values[0]
}

export function isRefusal(value: object | string | undefined): value is Refusal {
  return typeof value === 'object' && 'code' in value
}
