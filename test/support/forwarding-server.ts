/** A real listener that hands what it accepts straight to an upstream, with no gateway in between. */
import type { Readable } from 'node:stream'
import type { TlsSettings } from '../../src/configuration.ts'
import type { ForwardPlan, ServerRequest } from '../../src/exchange.ts'
import { withoutHopByHop } from '../../src/engine/fields.ts'
import { renderRefusal } from '../../src/server/problem.ts'
import type { ForwardHooks, ForwardResult, Upstream } from '../../src/upstream/upstream.ts'
import { startListener } from '../listener.ts'

export interface ForwardingServer {
  readonly port: number
  /** Of clients, that are open now. */
  readonly connections: number
  readonly results: ForwardResult[]
  /** @returns the next result that was not taken yet */
  result(): Promise<ForwardResult>
  close(): Promise<void>
}

export interface ForwardingOptions {
  readonly plan?: Partial<ForwardPlan>
  readonly hooks?: Partial<ForwardHooks>
  /** Clients speak TLS. */
  readonly tls?: TlsSettings
  /** Stands between the client's body and the upstream. */
  readonly body?: (body: Readable) => Readable
}

export async function startForwardingServer(
  upstream: Upstream,
  options: ForwardingOptions = {},
): Promise<ForwardingServer> {
  const results: ForwardResult[] = []
  const waiting: ((result: ForwardResult) => void)[] = []

  const forward = async (request: ServerRequest): Promise<void> => {
    // Uploads in tests are larger than what a listener takes by itself.
    request.limitBody({ bytes: Infinity, timeout: 60_000 })
    if (options.body !== undefined) {
      const replace = options.body
      const original = request.body.bind(request)
      const value = (): Readable => replace(original().on('error', () => undefined))
      Object.defineProperty(request, 'body', { value })
    }
    const result = await new Promise<ForwardResult>((settled) => {
      const hooks: ForwardHooks = { decorate: (_status, fields) => fields, settled, ...options.hooks }
      upstream.forward(request, planOf(request, upstream, options), hooks)
    })
    if (result.outcome === 'refused') {
      request.answer(renderRefusal(result.refusal, { requestId: 'test', method: request.method }))
    }
    const take = waiting.shift()
    if (take === undefined) {
      results.push(result)
    } else {
      take(result)
    }
  }

  const listener = await startListener({
    h2c: true,
    handle: (request) => void forward(request),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  })
  return {
    port: listener.running.port,
    get connections() {
      return listener.running.connections
    },
    results,
    result() {
      const result = results.shift()
      return result === undefined
        ? new Promise((resolve) => {
            waiting.push(resolve)
          })
        : Promise.resolve(result)
    },
    close: () => listener[Symbol.asyncDispose](),
  }
}

function planOf(request: ServerRequest, upstream: Upstream, options: ForwardingOptions): ForwardPlan {
  const fields = withoutHopByHop(request.fields).filter(
    (_, index, all) => all[index - (index % 2)]!.toLowerCase() !== 'host',
  )
  return {
    upstream: upstream.name,
    method: request.method,
    target: request.target,
    fields,
    host: undefined,
    hashKey: undefined,
    deadline: Infinity,
    stillGood: () => true,
    ...options.plan,
  }
}
