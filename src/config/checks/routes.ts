/** Routes: what is matched, how it is rewritten, who may call from a page, and conditions. */
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import type { ParsedRoute } from '../schema/routes.ts'
import { routesOf, type Check, type CheckContext } from './check.ts'
import { pathFault, type PathRules } from './match-path.ts'

export const checkMatches: Check = function* (context) {
  const rules = rulesOf(context)
  for (const { route, path } of routesOf(context)) {
    const fault = pathFault(route.match.path, rules)
    if (fault !== undefined) {
      yield {
        path: [...path, 'match', 'path'],
        expected: 'a path as it arrives, such as /catalog, /catalog/* or /users/:id',
        quotes: true,
        ...fault,
      }
    }
    const { methods = [], headers } = route.match
    for (const [index, method] of methods.entries()) {
      if (methods.indexOf(method) !== index) {
        yield {
          path: [...path, 'match', 'methods', index],
          message: 'this method stands here already',
          expected: 'each one once',
        }
      }
    }
    yield* repeatedNames(Object.keys(headers), (name) => [...path, 'match', 'headers', name])
  }
}

function rulesOf({ configuration }: CheckContext): PathRules {
  return {
    encodedSlashes: configuration.listeners.some((each) => each.encodedSlashes === 'keep'),
    pathParameters: configuration.listeners.some((each) => each.pathParameters === 'keep'),
  }
}

export const checkRewrites: Check = function* (context) {
  for (const { route, path } of routesOf(context)) {
    const { stripPrefix } = route.rewrite
    if (stripPrefix === undefined || beginsWith(route.match.path, stripPrefix)) continue
    const head = literalHead(route.match.path)
    yield {
      path: [...path, 'rewrite', 'stripPrefix'],
      message: `the route's path "${route.match.path}" does not begin with this`,
      expected:
        head === '' ? 'no stripPrefix: the path begins with a parameter' : `whole segments of ${head}`,
    }
  }
}

function beginsWith(pattern: string, prefix: string): boolean {
  const head = literalHead(pattern)
  return head === prefix || head.startsWith(`${prefix}/`)
}

/** The segments before the first parameter. */
function literalHead(pattern: string): string {
  const segments = pattern.split('/')
  const end = segments.findIndex((each) => each === '*' || each.startsWith(':'))
  return (end === -1 ? segments : segments.slice(0, end)).join('/')
}

export const checkCors: Check = function* (context) {
  for (const { route, path } of routesOf(context)) {
    if (route.cors?.credentials !== true) continue
    const index = route.cors.origins.indexOf('*')
    if (index === -1) continue
    yield {
      path: [...path, 'cors', 'origins', index],
      message: '`*` with `credentials: true` would let every page on the web act as its visitor',
      expected: 'the origins that may, one by one, or `credentials: false`',
    }
  }
}

/** Names that differ only in case are one name for HTTP. */
export function* repeatedNames(
  names: readonly string[],
  place: (name: string) => Path,
): Generator<Complaint> {
  const seen = new Map<string, string>()
  for (const name of names) {
    const first = seen.get(name.toLowerCase())
    if (first === undefined) seen.set(name.toLowerCase(), name)
    else
      yield {
        path: place(name),
        message: `"${first}" and "${name}" are one header field`,
        expected: 'each one once',
        atKey: true,
      }
  }
}

/** Every place in the file that says what a caller must be allowed to. */
export function authorizeMembers(
  context: CheckContext,
): { authorize: NonNullable<ParsedRoute['authorize']>; path: Path }[] {
  const places = [
    { authorize: context.configuration.defaults.authorize, path: ['defaults', 'authorize'] as Path },
    ...routesOf(context).flatMap(({ route, path }) => [
      { authorize: route.authorize, path: [...path, 'authorize'] },
      { authorize: route.report?.authorize, path: [...path, 'report', 'authorize'] },
    ]),
  ]
  return places.flatMap(({ authorize, path }) => (authorize === undefined ? [] : [{ authorize, path }]))
}
