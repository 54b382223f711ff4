/** Where a request enters: the listener hands it over, an exchange begins, and the table of stages takes it. */
import { requestIdOf } from '../server/request-id.ts'
import { traceContextOf } from '../server/traceparent.ts'
import type { ServerRequest } from '../exchange.ts'
import { runPipeline } from '../pipeline.ts'
import { ExchangeState } from './exchange-state.ts'
import type { Snapshot } from './snapshot.ts'

/** @param current - the snapshot of now; a request keeps the one that it began under */
export function createHandler(current: () => Snapshot): (server: ServerRequest) => void {
  return (server) => {
    const snapshot = current()
    const exchange = new ExchangeState(requestIdOf(server.fields), server, snapshot)
    const trace = traceContextOf(server.fields)
    exchange.traceparent = trace.traceparent
    exchange.tracestate = trace.tracestate
    const { tracing } = snapshot.services
    if (tracing !== undefined) {
      exchange.span = tracing.begin(trace.parent)
      exchange.traceparent = exchange.span.traceparent
    }
    runPipeline(exchange)
  }
}
