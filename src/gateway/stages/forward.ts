/** Steps 6 (end) to 9: bounds the body, removes what the client must not say, forwards, and counts the answer. */
import type { Readable } from 'node:stream'
import { refuse } from '../../engine/outcome.ts'
import type { FieldLines, ServerRequest } from '../../exchange.ts'
import { isGrpc } from '../../server/problem.ts'
import type { ForwardHooks, ForwardResult } from '../../upstream/upstream.ts'
import { conclude, concludeFault, finish, rawField } from '../conclude.ts'
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
  if (server.hasBody)
    server.limitBody({ bytes: bodyLimit, timeout: isGrpcCall(server) ? Infinity : requestTimeout })
  return undefined
}

/** A call may stream for as long as it likes. gRPC needs HTTP/2: on HTTP/1.1 it is only a word that would switch off the time limit. */
function isGrpcCall({ version, fields }: ServerRequest): boolean {
  return version === '2' && isGrpc(rawField(fields, 'content-type') ?? '')
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

export function forward(exchange: ExchangeState): StageResult {
  const { server, compiled, plan } = exchange
  compiled!.upstream.forward(server, plan!, new Forwarding(exchange))
  return answered
}

/** What the upstream tells of a request on its way. */
class Forwarding implements ForwardHooks {
  readonly idleTimeout: number
  readonly #exchange: ExchangeState

  constructor(exchange: ExchangeState) {
    this.#exchange = exchange
    this.idleTimeout = exchange.snapshot.configuration.limits.idleTimeout
  }

  decorate(status: number, fields: FieldLines): FieldLines {
    if (status === 401) dropBackendToken(this.#exchange)
    return decorateAnswer(this.#exchange, status, fields)
  }

  body(): Readable | undefined {
    return this.#exchange.heldBody?.stream()
  }

  settled(result: ForwardResult): void {
    try {
      this.#conclude(result)
    } catch (error) {
      // Nobody above would tell the client.
      concludeFault(this.#exchange, 'authorization', error)
    }
  }

  #conclude(result: ForwardResult): void {
    const exchange = this.#exchange
    const { compiled, heldBody, snapshot } = exchange
    heldBody?.release()
    snapshot.services.metrics.upstreamDuration(compiled!.settings.upstream).observe(result.upstreamMs / 1000)
    if (result.outcome === 'refused') conclude(exchange, 'authorization', result.refusal)
    else finish(exchange, result.status)
  }
}
