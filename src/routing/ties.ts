/** Finds pairs of routes between which no rule decides: a configuration error, since the order of a file must not decide who gets in. */
import type { MatchSettings, RouteSettings } from '../configuration.ts'
import { normalHost } from './host.ts'
import { parsePattern } from './pattern.ts'

export interface RouteTie {
  /** Route ids, in the file's order. */
  readonly a: string
  readonly b: string
  readonly why: string
}

/** Enough for somebody to see the mistake; a thousand copies of one route are half a million pairs. */
const mostTies = 100

/**
 * @returns pairs of routes with the same host and path, a method in common, equally many conditions, and no condition that keeps
 *   them apart
 */
export function findRouteTies(routes: readonly RouteSettings[]): readonly RouteTie[] {
  const rivals = new Map<string, Rival[]>()
  for (const [index, route] of routes.entries()) {
    const path = parsePattern(route.match.path)
    if (typeof path === 'string') continue
    const conditions = conditionsOf(route.match)
    const key = `${normalHost(route.match.host)} ${path.shape} ${conditions.size}`
    const group = rivals.get(key)
    const rival = { route, index, conditions, names: [...conditions.keys()].sort() }
    if (group === undefined) rivals.set(key, [rival])
    else group.push(rival)
  }
  const ties: RouteTie[] = []
  for (const group of rivals.values()) {
    if (group.length > 1) collectTies(group, ties)
    if (ties.length >= mostTies) break
  }
  return ties
}

interface Rival {
  readonly route: RouteSettings
  readonly index: number
  readonly conditions: ReadonlyMap<string, string>
  readonly names: readonly string[]
}

function conditionsOf({ headers, query }: MatchSettings): ReadonlyMap<string, string> {
  const conditions = new Map<string, string>()
  for (const [name, value] of Object.entries(headers)) conditions.set(`header ${name.toLowerCase()}`, value)
  for (const [name, value] of Object.entries(query)) conditions.set(`parameter ${name}`, value)
  return conditions
}

/**
 * Joins routes that ask the same things by their values, so that thousands of routes told apart by one header stay cheap:
 * two routes can both hold unless they ask different values of one name.
 */
function collectTies(group: readonly Rival[], ties: RouteTie[]): void {
  const bySubject = Map.groupBy(group, ({ names }) => JSON.stringify(names))
  const subjects = [...bySubject.values()]
  for (const [index, ones] of subjects.entries()) {
    for (const others of subjects.slice(index)) {
      const shared = ones[0]!.names.filter((name) => others[0]!.conditions.has(name))
      const byValues = Map.groupBy(others, (rival) => valuesOf(rival, shared))
      for (const one of ones) {
        for (const other of byValues.get(valuesOf(one, shared)) ?? []) {
          const isSeen = ones === others && other.index <= one.index
          if (isSeen || !shareMethod(one.route.match, other.route.match)) continue
          ties.push(tieOf(one, other))
          if (ties.length >= mostTies) return
        }
      }
    }
  }
}

function valuesOf(rival: Rival, names: readonly string[]): string {
  return JSON.stringify(names.map((name) => rival.conditions.get(name)))
}

function shareMethod(a: MatchSettings, b: MatchSettings): boolean {
  return a.methods === undefined || b.methods === undefined || a.methods.some((it) => b.methods!.includes(it))
}

function tieOf(one: Rival, other: Rival): RouteTie {
  const [first, second] = one.index < other.index ? [one, other] : [other, one]
  const count = first.conditions.size
  const same = first.route.match.path === second.route.match.path ? 'the same path' : 'paths that match alike'
  const conditions =
    count === 0
      ? 'no condition on a header or parameter'
      : `${count} condition${count === 1 ? '' : 's'} each, which can hold together`
  return {
    a: first.route.id,
    b: second.route.id,
    why: `${same}, a method in common and ${conditions}: nothing decides between them`,
  }
}
