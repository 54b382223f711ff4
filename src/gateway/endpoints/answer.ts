/** The stage of the gateway's own endpoints: what lies under `/.portcullis/` is answered here, whatever a route says. */
import { refuse } from '../../engine/outcome.ts'
import { BodyError } from '../../exchange.ts'
import { answerDirectly } from '../conclude.ts'
import type { ExchangeState } from '../exchange-state.ts'
import type { StageResult } from '../stage.ts'
import type { EndpointAnswer } from './endpoint.ts'

const prefix = '/.portcullis'

export function answerEndpoint(exchange: ExchangeState): StageResult | Promise<StageResult> {
  const { path, method } = exchange.request
  const endpoint = exchange.snapshot.endpoints.find((each) => each.matches(path))
  if (endpoint === undefined) return isOwn(path) ? refuse('route_not_found') : undefined
  if (!endpoint.methods.includes(method)) return refuse('method_not_allowed', { allow: endpoint.methods })
  const answer = endpoint.answer(exchange)
  return answer instanceof Promise
    ? answer.then((settled) => settle(exchange, settled)).catch(refusalOf)
    : settle(exchange, answer)
}

function isOwn(path: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')
}

function settle(exchange: ExchangeState, answer: EndpointAnswer): StageResult {
  if (answer === undefined) return refuse('route_not_found')
  return 'code' in answer ? answer : answerDirectly(exchange, answer)
}

/** A body that was too large, late or malformed is the caller's; anything else is a bug, and the runner's to answer. */
function refusalOf(error: unknown): StageResult {
  if (error instanceof BodyError) return error.refusal
  throw error
}
