/** For the linter: routes that requests do not reach because a more specific pattern decides alone. */
import type { RouteSettings } from '../configuration.ts'
import { normalHost } from './host.ts'
import { parsePattern, type PathPattern } from './pattern.ts'

export interface ShadowedRoute {
  readonly route: string
  /** Ids of the routes that stand before it. */
  readonly by: readonly string[]
  /** `wholly`: no request can reach it. `partly`: its pattern matches paths for which another pattern answers 405. */
  readonly extent: 'wholly' | 'partly'
  readonly why: string
}

interface Entry {
  readonly route: RouteSettings
  readonly host: string
  readonly path: PathPattern
}

/** Never proxied, whatever a route says. */
const ownPaths = '/.portcullis/'

/** @returns routes that are never reached, and those whose methods a more specific pattern refuses */
export function findShadowedRoutes(routes: readonly RouteSettings[]): readonly ShadowedRoute[] {
  const entries = routes.flatMap((route): Entry[] => {
    const path = parsePattern(route.match.path)
    return typeof path === 'string' ? [] : [{ route, host: normalHost(route.match.host), path }]
  })
  const byShape = Map.groupBy(entries, ({ host, path }) => `${host} ${path.shape}`)
  const wide = entries.filter(({ path }) => !path.isLiteral)
  const found: ShadowedRoute[] = []
  for (const entry of entries) {
    if (`${entry.path.shape}/`.startsWith(ownPaths)) {
      found.push(whollyBy(entry, [], `paths under ${ownPaths} are the gateway's own`))
    }
  }
  for (const entry of wide) {
    const covering = coverOf(entry, byShape)
    if (covering !== undefined) {
      found.push(whollyBy(entry, covering, 'more specific patterns take every path that it matches'))
      continue
    }
    const partly = takersOf(entry, entries, byShape)
    if (partly !== undefined) found.push(partly)
  }
  return found
}

function whollyBy({ route }: Entry, by: readonly Entry[], why: string): ShadowedRoute {
  return { route: route.id, by: by.map((each) => each.route.id), extent: 'wholly', why }
}

/** `/a/*` is used up by `/a/` with `/a/:x` and `/a/:x/*`, where the last may be used up in turn. */
function coverOf(entry: Entry, byShape: ReadonlyMap<string, readonly Entry[]>): readonly Entry[] | undefined {
  if (!entry.path.shape.endsWith('*')) return undefined
  const cover: Entry[] = []
  let prefix = `${entry.host} ${entry.path.shape.slice(0, -1)}`
  for (;;) {
    const root = byShape.get(prefix)
    const one = byShape.get(`${prefix}:`)
    if (root === undefined || one === undefined) return undefined
    cover.push(...root, ...one)
    const below = byShape.get(`${prefix}:/*`)
    if (below !== undefined) return [...cover, ...below]
    prefix = `${prefix}:/`
  }
}

/** A more specific pattern that lacks a method of this one: such requests get 405, which surprises whoever wrote the wider one. */
function takersOf(
  entry: Entry,
  entries: readonly Entry[],
  byShape: ReadonlyMap<string, readonly Entry[]>,
): ShadowedRoute | undefined {
  const takers: string[] = []
  const lost = new Set<string>()
  for (const other of entries) {
    if (other === entry || other.host !== entry.host || !isWithin(other.path, entry.path)) continue
    const beside = byShape.get(`${other.host} ${other.path.shape}`) ?? []
    const missing = missingMethods(entry, beside)
    if (missing.length === 0) continue
    takers.push(other.route.id)
    for (const method of missing) lost.add(method)
  }
  if (takers.length === 0) return undefined
  const words = [...lost].join(', ')
  const why = `for paths of the more specific pattern, which decides alone, ${words} is 405 instead of reaching this route`
  return { route: entry.route.id, by: takers, extent: 'partly', why }
}

function missingMethods(entry: Entry, beside: readonly Entry[]): readonly string[] {
  // A route for all methods is a net under the others: that they stand before it is meant.
  const own = entry.route.match.methods
  return own === undefined || beside.some(({ route }) => route.match.methods === undefined)
    ? []
    : own.filter((method) => !beside.some(({ route }) => route.match.methods?.includes(method)))
}

/** Whether every path of the one is also a path of the other, and the one is the more specific. */
function isWithin(one: PathPattern, other: PathPattern): boolean {
  if (one.shape === other.shape) return false
  for (const [index, outer] of other.segments.entries()) {
    const inner = one.segments[index]
    if (inner === undefined) return false
    if (outer.kind === 'rest') return true
    if (inner.kind === 'rest') return false
    if (outer.kind === 'literal' && (inner.kind !== 'literal' || inner.text !== outer.text)) return false
    if (outer.kind === 'parameter' && inner.kind === 'literal' && inner.text === '') return false
  }
  return one.segments.length === other.segments.length
}
