/** OpenTelemetry traces, loaded only when the standard `OTEL_*` variables ask for them. */
import type * as OpenTelemetry from '@opentelemetry/api'
import type { Context, Span, Tracer } from '@opentelemetry/api'

/** One request's span, and what its upstream hears of it. */
export interface RequestSpan {
  readonly traceparent: string
  readonly traceId: string
  end(facts: {
    readonly status: number
    readonly route?: string
    readonly reason?: string
    readonly method: string
  }): void
}

export interface Tracing {
  /** `parent`: a valid `traceparent` of the client, or undefined. */
  begin(parent: string | undefined): RequestSpan
  /** Sends what is left; bounded by the exporter's own timeout. */
  close(): Promise<void>
}

/** @returns undefined when no `OTEL_*` variable asks for traces */
export async function openTracing(env: NodeJS.ProcessEnv): Promise<Tracing | undefined> {
  const asked = env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
  const exporter = env['OTEL_TRACES_EXPORTER'] ?? (asked === undefined ? 'none' : 'otlp')
  if (env['OTEL_SDK_DISABLED'] === 'true' || exporter === 'none') return undefined
  const [api, sdk, otlp] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ])
  // The SDK reads OTEL_SERVICE_NAME itself; ours is the default name.
  env['OTEL_SERVICE_NAME'] ??= 'portcullis'
  const provider = new sdk.NodeTracerProvider({
    spanProcessors: [new sdk.BatchSpanProcessor(new otlp.OTLPTraceExporter())],
  })
  const tracer: Tracer = provider.getTracer('portcullis')
  return {
    begin(parent) {
      const context: Context = parent === undefined ? api.ROOT_CONTEXT : withParent(api, parent)
      const span = tracer.startSpan('request', { kind: api.SpanKind.SERVER }, context)
      return wrap(api, span)
    },
    close: () => provider.shutdown(),
  }
}

type Api = typeof OpenTelemetry

function withParent(api: Api, parent: string): Context {
  const [, traceId = '', spanId = '', flags = '00'] = parent.split('-')
  return api.trace.setSpanContext(api.ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
  })
}

function wrap(api: Api, span: Span): RequestSpan {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return {
    traceId,
    traceparent: `00-${traceId}-${spanId}-${(traceFlags & 1).toString(16).padStart(2, '0')}`,
    end({ status, route, reason, method }) {
      if (route !== undefined) span.updateName(`${method} ${route}`)
      span.setAttribute('http.request.method', method)
      span.setAttribute('http.response.status_code', status)
      if (route !== undefined) span.setAttribute('http.route', route)
      if (reason !== undefined) span.setAttribute('portcullis.reason', reason)
      if (status >= 500) span.setStatus({ code: api.SpanStatusCode.ERROR })
      span.end()
    },
  }
}
