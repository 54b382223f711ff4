/** What a route asks beyond host and path: its method, and exact values of fields and query parameters. */
import { queryValues } from '../engine/query.ts'
import type { RouteSettings } from '../configuration.ts'
import type { GatewayRequest } from '../engine/request.ts'
import type { RouteMatch } from './table.ts'

export interface CompiledRoute {
  readonly settings: RouteSettings
  /** What a match answers; made once, so that a request allocates nothing. */
  readonly match: RouteMatch
  /** Undefined: any. */
  readonly methods: ReadonlySet<string> | undefined
  readonly headers: readonly Condition[]
  readonly query: readonly Condition[]
  readonly conditions: number
}

type Condition = readonly [name: string, value: string]

export function compileRoute(settings: RouteSettings): CompiledRoute {
  const { methods, headers, query } = settings.match
  const fields = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  const parameters = Object.entries(query)
  return {
    settings,
    match: Object.freeze({ route: settings }),
    methods: methods === undefined ? undefined : new Set(methods),
    headers: fields,
    query: parameters,
    conditions: fields.length + parameters.length,
  }
}

/** @returns whether the route takes the method; GET does not imply HEAD */
export function takes(route: CompiledRoute, method: string): boolean {
  return route.methods === undefined || route.methods.has(method)
}

export function conditionsHold(route: CompiledRoute, request: GatewayRequest): boolean {
  for (const [name, value] of route.headers) {
    // A repeated field meets no condition: the backend may read the other one.
    if (request.header(name) !== value || request.count(name) !== 1) return false
  }
  return parametersHold(route, request)
}

export function parametersHold(route: CompiledRoute, request: GatewayRequest): boolean {
  for (const [name, value] of route.query) {
    const values = queryValues(request.query, name)
    if (values.length !== 1 || values[0] !== value) return false
  }
  return true
}
