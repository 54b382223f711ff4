/**
 * Cross-origin sharing, decided by the gateway alone: preflights are answered before the proof (they can carry no credential),
 * and what an upstream says of it is replaced.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
import { normalOrigin } from '../engine/origin.ts'
import type { CorsSettings, RouteSettings } from '../configuration.ts'
import type { GatewayRequest } from '../engine/request.ts'
import type { Answer, FieldLines } from '../exchange.ts'
import type { Preflight, RouteTable } from './table.ts'

/** What a page may read of the gateway's own fields. */
const exposed = ['WWW-Authenticate', 'DPoP-Nonce', 'Retry-After', 'RateLimit', 'X-Request-Id']
const anyMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const foreign: FieldLines = Object.freeze(['Vary', 'Origin'])

/** @returns the fields for every answer of a route with `cors`, refusals too; a foreign or missing origin gets only `Vary` */
export function corsFields(cors: CorsSettings, origin: string | undefined): FieldLines {
  if (origin === undefined) return foreign
  const compiled = compileCors(cors)
  return compiled.any ?? compiled.byOrigin.get(origin) ?? foreign
}

/** @returns whether the field speaks of cross-origin sharing, so that an upstream's must give way */
export function isCorsField(name: string): boolean {
  return name.toLowerCase().startsWith('access-control-')
}

/** @returns the answer to a preflight for a route with `cors`, or undefined when the request is none */
export function preflightAnswer(
  table: RouteTable,
  request: GatewayRequest,
): { readonly route: RouteSettings; readonly answer: Answer } | undefined {
  if (request.method !== 'OPTIONS' || request.count('origin') !== 1) return undefined
  const method = request.header('access-control-request-method')
  if (method === undefined || request.count('access-control-request-method') !== 1) return undefined
  const preflight = table.matchPreflight(request, method)
  const cors = preflight?.route.cors
  if (preflight === undefined || cors === undefined) return undefined
  const fields = preflightFields(preflight, cors, request.header('origin') ?? '', method)
  return { route: preflight.route, answer: { status: 204, fields, body: '' } }
}

function preflightFields(
  { methods }: Preflight,
  cors: CorsSettings,
  origin: string,
  requested: string,
): FieldLines {
  const shared = corsFields(cors, origin)
  if (shared === foreign) return foreign
  const allowed = methods ?? (anyMethods.includes(requested) ? anyMethods : [...anyMethods, requested])
  const fields = [...shared, 'Access-Control-Allow-Methods', allowed.join(', ')]
  if (cors.headers.length > 0) fields.push('Access-Control-Allow-Headers', cors.headers.join(', '))
  fields.push('Access-Control-Max-Age', String(Math.floor(cors.maxAge / 1000)))
  return fields
}

interface CompiledCors {
  /** Set for `*`. */
  readonly any: FieldLines | undefined
  readonly byOrigin: ReadonlyMap<string, FieldLines>
}

const compiledCors = new WeakMap<CorsSettings, CompiledCors>()

function compileCors(cors: CorsSettings): CompiledCors {
  let compiled = compiledCors.get(cors)
  if (compiled === undefined) {
    // `null` is what every sandboxed frame sends, so listing it would let in anybody: it names no origin here.
    const named = cors.origins.map(normalOrigin).filter((origin) => origin !== '*' && origin !== 'null')
    // With credentials `*` is a configuration error; were it to slip through, it must not become "every origin".
    const isAny = cors.origins.includes('*') && !cors.credentials
    compiled = {
      any: isAny ? sharingFields(cors, '*') : undefined,
      byOrigin: new Map(named.map((origin) => [origin, sharingFields(cors, origin)])),
    }
    compiledCors.set(cors, compiled)
  }
  return compiled
}

function sharingFields(cors: CorsSettings, origin: string): FieldLines {
  const fields = ['Access-Control-Allow-Origin', origin]
  if (cors.credentials) fields.push('Access-Control-Allow-Credentials', 'true')
  fields.push('Access-Control-Expose-Headers', [...exposed, ...cors.expose].join(', '), ...foreign)
  return Object.freeze(fields)
}
