/** Steps 2 and 3: one normalised path, who the client is by the rule of trusted proxies, and the one route. */
import { preflightAnswer } from '../../routing/cors.ts'
import { normalizeTarget } from '../../routing/normalize.ts'
import { clientFacts } from '../../server/forwarded.ts'
import { toGatewayRequest } from '../../server/to-request.ts'
import type { ExchangeState } from '../exchange-state.ts'
import { answerDirectly } from '../conclude.ts'
import { connectionFault } from '../connection-fault.ts'
import type { StageResult } from '../stage.ts'

export function normaliseTarget(exchange: ExchangeState): StageResult {
  const { server, snapshot } = exchange
  const normal = normalizeTarget(server.target, server.connection.listener)
  if ('code' in normal) return normal
  const client = clientFacts(server.connection, server.fields, snapshot.trust)
  if ('code' in client) return client
  exchange.client = client
  exchange.request = toGatewayRequest(server, normal, client, snapshot.requestContext)
  return connectionFault(server, normal.path, snapshot.services.clock)
}

export function matchRoute(exchange: ExchangeState): StageResult {
  const { request, snapshot } = exchange
  const preflight = preflightAnswer(snapshot.table, request)
  if (preflight !== undefined) {
    exchange.route = preflight.route
    return answerDirectly(exchange, preflight.answer)
  }
  const match = snapshot.table.match(request)
  if ('code' in match) return match
  exchange.route = match.route
  exchange.compiled = snapshot.routes.get(match.route)
  return undefined
}
