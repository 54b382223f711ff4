/**
 * Step 3 of a request's way. Of the patterns whose host and path both match, the most specific one decides alone, host first:
 * a request never falls to a less specific pattern because of its method, a field or a parameter.
 */
import { refuse, type Refusal } from '../engine/outcome.ts'
import type { RouteSettings } from '../configuration.ts'
import type { GatewayRequest } from '../engine/request.ts'
import { compileRoute, conditionsHold, parametersHold, takes, type CompiledRoute } from './conditions.ts'
import { normalHost } from './host.ts'
import { parsePattern } from './pattern.ts'
import { addPattern, createTree, findPattern, type PathTree } from './tree.ts'

export interface RouteTable {
  /** @returns the one route, or 404 `route_not_found` or 405 `method_not_allowed` */
  match(request: GatewayRequest): RouteMatch | Refusal
  /** Finds the route with `cors` that a request with this method, from the same page, would reach. */
  matchPreflight(request: GatewayRequest, method: string): Preflight | undefined
}

export interface RouteMatch {
  readonly route: RouteSettings
}

export interface Preflight {
  readonly route: RouteSettings
  /** All methods of the pattern; undefined when one of its routes takes any. */
  readonly methods: readonly string[] | undefined
}

/** The routes of one host and path pattern, those with most conditions first. */
interface Pattern {
  readonly routes: CompiledRoute[]
}

/**
 * Compiles the routes into a tree for each host. Ties are the configuration's business (`ties.ts`); here the first one wins.
 *
 * @throws {TypeError} on a path that `parsePattern` refuses
 */
export function compileRoutes(routes: readonly RouteSettings[]): RouteTable {
  const hosts: Hosts = { exact: new Map(), wide: new Map(), any: createTree() }
  for (const route of routes) {
    const path = parsePattern(route.match.path)
    if (typeof path === 'string') throw new TypeError(`route "${route.id}": ${path}`)
    addPattern(treeFor(hosts, normalHost(route.match.host)), path, () => ({ routes: [] })).routes.push(
      compileRoute(route),
    )
  }
  for (const tree of [...hosts.exact.values(), ...hosts.wide.values(), hosts.any]) {
    // Stable: among equals, which only a report of ties can hold, the order of the file.
    for (const pattern of tree.patterns) pattern.routes.sort((a, b) => b.conditions - a.conditions)
  }
  return {
    match(request) {
      const pattern = lookUp(hosts, request)
      return pattern === undefined ? notFound : decide(pattern, request)
    },
    matchPreflight(request, method) {
      const pattern = lookUp(hosts, request)
      return pattern === undefined ? undefined : decidePreflight(pattern, request, method)
    },
  }
}

const notFound: Refusal = Object.freeze(refuse('route_not_found'))

interface Hosts {
  readonly exact: Map<string, PathTree<Pattern>>
  /** `*.example.com` by what follows the first label. */
  readonly wide: Map<string, PathTree<Pattern>>
  readonly any: PathTree<Pattern>
}

function treeFor(hosts: Hosts, host: string): PathTree<Pattern> {
  if (host === '') return hosts.any
  const isWide = host.startsWith('*.')
  const trees = isWide ? hosts.wide : hosts.exact
  const name = isWide ? host.slice(2) : host
  let tree = trees.get(name)
  if (tree === undefined) trees.set(name, (tree = createTree()))
  return tree
}

/** The exact host, then the wildcard for its first label, then routes for any host. */
function lookUp({ exact, wide, any }: Hosts, { host, path }: GatewayRequest): Pattern | undefined {
  const own = exact.size === 0 ? undefined : exact.get(host)
  const found = own === undefined ? undefined : findPattern(own, path)
  if (found !== undefined) return found
  const dot = wide.size === 0 ? -1 : host.indexOf('.')
  const shared = dot > 0 ? wide.get(host.slice(dot + 1)) : undefined
  const foundShared = shared === undefined ? undefined : findPattern(shared, path)
  return foundShared ?? findPattern(any, path)
}

function decide({ routes }: Pattern, request: GatewayRequest): RouteMatch | Refusal {
  let hasMethod = false
  for (const route of routes) {
    if (!takes(route, request.method)) continue
    hasMethod = true
    if (conditionsHold(route, request)) return route.match
  }
  return hasMethod ? notFound : refuse('method_not_allowed', { allow: methodsOf(routes) ?? [] })
}

/** A preflight has the page's address but none of its fields, so conditions on fields can only be hoped for. */
function decidePreflight(
  { routes }: Pattern,
  request: GatewayRequest,
  method: string,
): Preflight | undefined {
  const reachable = routes.filter((route) => takes(route, method) && parametersHold(route, request))
  const sure = reachable.find((route) => conditionsHold(route, request))
  const chosen =
    sure?.settings.cors === undefined ? reachable.find(({ settings }) => settings.cors !== undefined) : sure
  return chosen === undefined ? undefined : { route: chosen.settings, methods: methodsOf(routes) }
}

function methodsOf(routes: readonly CompiledRoute[]): readonly string[] | undefined {
  const methods = new Set<string>()
  for (const route of routes) {
    if (route.methods === undefined) return undefined
    for (const method of route.methods) methods.add(method)
  }
  return [...methods]
}
