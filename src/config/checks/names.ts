/** Names that must mean something, and names that must mean one thing. */
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import type { ParsedAuthenticate } from '../schema/routes.ts'
import { nearest } from '../suggest.ts'
import { routesOf, type Check, type CheckContext, type NamedSection } from './check.ts'

const nouns: Readonly<Record<NamedSection, string>> = {
  providers: 'provider',
  authenticators: 'authenticator',
  upstreams: 'upstream',
}

export const checkReferences: Check = function* (context) {
  const { configuration } = context
  for (const [name, authenticator] of Object.entries(configuration.authenticators)) {
    for (const { name: provider, path } of providersNamed(authenticator))
      yield* mustExist(context, 'providers', provider, ['authenticators', name, ...path])
  }
  for (const { authenticate, path } of authenticateMembers(context)) {
    for (const { name, path: place } of namesIn(authenticate, path)) {
      yield* mustExist(context, 'authenticators', name, place)
    }
  }
  for (const { route, path } of routesOf(context))
    yield* mustExist(context, 'upstreams', route.upstream, [...path, 'upstream'])
}

export const checkRouteIds: Check = function* (context) {
  const seen = new Map<string, Path>()
  for (const { route, path } of routesOf(context)) {
    const first = seen.get(route.id)
    if (first === undefined) seen.set(route.id, path)
    else
      yield {
        path: [...path, 'id'],
        message: `another route has this id: routes[${String(first[1])}]`,
        expected: 'an id of its own for each route',
      }
  }
}

/** Every place in the file that says who may come in. */
export function authenticateMembers(
  context: CheckContext,
): readonly { readonly authenticate: ParsedAuthenticate; readonly path: Path }[] {
  const places = [
    { authenticate: context.configuration.defaults.authenticate, path: ['defaults', 'authenticate'] as Path },
    ...routesOf(context).flatMap(({ route, path }) => [
      { authenticate: route.authenticate, path: [...path, 'authenticate'] },
      { authenticate: route.report?.authenticate, path: [...path, 'report', 'authenticate'] },
    ]),
  ]
  return places.flatMap(({ authenticate, path }) =>
    authenticate === undefined ? [] : [{ authenticate, path }],
  )
}

/** The authenticators that are named, each with its place. */
export function namesIn(
  authenticate: ParsedAuthenticate,
  path: Path,
): readonly { readonly name: string; readonly path: Path }[] {
  if (authenticate === 'none') return []
  if (isList(authenticate)) return authenticate.map((name, index) => ({ name, path: [...path, index] }))
  return (['all', 'optional'] as const).flatMap((key) => namesIn(authenticate[key] ?? [], [...path, key]))
}

/** `provider`, or each of `providers`: what an authenticator of any type relies on is written so. */
function providersNamed(authenticator: object): { readonly name: string; readonly path: Path }[] {
  const { provider, providers } = authenticator as { provider?: string; providers?: readonly string[] }
  return [
    ...(provider === undefined ? [] : [{ name: provider, path: ['provider'] }]),
    ...(providers ?? []).map((name, index) => ({ name, path: ['providers', index] })),
  ]
}

function isList(authenticate: Exclude<ParsedAuthenticate, 'none'>): authenticate is readonly string[] {
  return Array.isArray(authenticate)
}

export function* mustExist(
  context: CheckContext,
  section: NamedSection,
  name: string,
  path: Path,
): Generator<Complaint> {
  const known = context.names[section]
  if (known.has(name)) return
  const suggestion = nearest(name, known)
  yield {
    path,
    message: `no such ${nouns[section]}`,
    expected:
      known.size === 0
        ? `${/^[aeiou]/.test(nouns[section]) ? 'an' : 'a'} ${nouns[section]} from the section \`${section}\`, which is empty`
        : `${known.size === 1 ? '' : 'one of '}${[...known].slice(0, 12).join(', ')}${known.size > 12 ? ', …' : ''}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}
