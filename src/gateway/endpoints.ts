/** The gateway's own endpoints on the listeners, under `/.portcullis/`: never proxied, whatever a route says. */
import { refuse } from '../engine/outcome.ts'
import type { Answer } from '../exchange.ts'
import { answerDirectly } from './conclude.ts'
import type { ExchangeState } from './exchange-state.ts'
import type { Services } from './snapshot.ts'
import type { StageResult } from './stage.ts'

const prefix = '/.portcullis'
const text = ['Content-Type', 'text/plain; charset=utf-8'] as const

export function answerEndpoint(exchange: ExchangeState): StageResult {
  const { path, method } = exchange.request
  if (!path.startsWith(prefix) || (path.length > prefix.length && path[prefix.length] !== '/'))
    return undefined
  const answer = endpoint(exchange, path.slice(prefix.length))
  if (answer === undefined) return refuse('route_not_found')
  if (method !== 'GET' && method !== 'HEAD') return refuse('method_not_allowed', { allow: ['GET', 'HEAD'] })
  return answerDirectly(exchange, answer)
}

function endpoint(exchange: ExchangeState, path: string): Answer | undefined {
  const { services, propagation } = exchange.snapshot
  if (path === '/jwks.json') {
    const keys = propagation.keySet()
    return keys === undefined
      ? undefined
      : {
          status: 200,
          fields: ['Content-Type', 'application/jwk-set+json', 'Cache-Control', 'public, max-age=300'],
          body: JSON.stringify(keys),
        }
  }
  return healthAnswer(services.readiness, path)
}

/** `livez` and `readyz`, bare of detail: also what a request of HTTP/1.0 without Host may reach. */
export function healthAnswer(readiness: Services['readiness'], path: string): Answer | undefined {
  if (path === '/livez') return { status: 200, fields: text, body: 'alive\n' }
  if (path !== '/readyz') return undefined
  const state = readiness()
  return { status: state === 'ready' ? 200 : 503, fields: text, body: `${state}\n` }
}
