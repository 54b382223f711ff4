/** Steps 6 (end) to 9: bounds the body, removes what the client must not say, forwards, and counts the answer. */
import { refuse } from '../../engine/outcome.ts'
import type { ForwardHooks, ForwardResult } from '../../upstream/upstream.ts'
import { finish } from '../conclude.ts'
import { decorateAnswer } from '../decorate.ts'
import type { ExchangeState } from '../exchange-state.ts'
import { answered, type StageResult } from '../stage.ts'
import { stillGood } from '../still-good.ts'
import { dropBackendToken } from './backend-token.ts'

/** A declared length over the limit is told before anything is sent on; an undeclared one while it streams. */
export function boundBody(exchange: ExchangeState): StageResult {
  const { server, compiled } = exchange
  const { bodyLimit, requestTimeout } = compiled!
  if (server.contentLength !== undefined && server.contentLength > bodyLimit)
    return refuse('payload_too_large')
  // No exception for `application/grpc`: gRPC needs HTTP/2, so on HTTP/1.1 it is only a word that would switch off the time limit.
  if (server.hasBody) server.limitBody({ bytes: bodyLimit, timeout: requestTimeout })
  return undefined
}

export function planForward(exchange: ExchangeState): StageResult {
  exchange.plan = exchange.snapshot.propagation.plan(exchange, {
    client: exchange.client!,
    traceparent: exchange.traceparent,
    tracestate: exchange.tracestate,
    stillGood: stillGood(exchange),
    backendToken: exchange.backendToken?.token,
  })
  return undefined
}

export async function forward(exchange: ExchangeState): Promise<StageResult> {
  const { server, compiled, plan, snapshot, heldBody } = exchange
  const hooks: ForwardHooks = {
    decorate: (status, fields) => {
      if (status === 401) dropBackendToken(exchange)
      return decorateAnswer(exchange, status, fields)
    },
    idleTimeout: snapshot.configuration.limits.idleTimeout,
    ...(heldBody === undefined ? {} : { body: () => heldBody.stream() }),
  }
  const result: ForwardResult = await compiled!.upstream.forward(server, plan!, hooks)
  heldBody?.release()
  snapshot.services.metrics.upstreamDuration(compiled!.settings.upstream).observe(result.upstreamMs / 1000)
  if (result.outcome === 'refused') return result.refusal
  finish(exchange, result.status)
  return answered
}
