/** What authenticators say of the resources that they guard: that clients can find it, and that it is true. */
import { profileFor } from '../../engine/providers/registry.ts'
import { enforcedScopes, type GuardedRoute } from '../../engine/resources/describe.ts'
import { identifierFault, type ParsedResource } from '../../engine/resources/resource.ts'
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import type { Check, CheckContext } from './check.ts'
import { factsFor } from './credentials.ts'
import { namesIn } from './names.ts'

interface Guard {
  readonly name: string
  readonly provider: string
  readonly resource: ParsedResource
}

export const checkResources: Check = function* (context) {
  const guards = guardsOf(context)
  for (const guard of guards) {
    const path: Path = ['authenticators', guard.name, 'resource']
    yield* checkIdentifier(guard, path, context)
    yield* checkServer(guard, context)
    yield* checkScopes(guard, guards, path, context)
  }
}

function guardsOf({ configuration }: CheckContext): readonly Guard[] {
  return Object.entries(configuration.authenticators).flatMap(([name, authenticator]) => {
    const { provider, resource } = authenticator as Partial<Guard>
    return provider === undefined || resource === undefined ? [] : [{ name, provider, resource }]
  })
}

function* checkIdentifier(
  { resource: { id } }: Guard,
  path: Path,
  context: CheckContext,
): Generator<Complaint> {
  const { publicUrl = [], listeners } = context.configuration
  const origins = [...publicUrl, ...listeners.flatMap((listener) => listener.publicUrl ?? [])]
  const fault = identifierFault(id)
  if (fault !== undefined) {
    yield { path: [...path, 'id'], message: fault, expected: 'a URL without a query, its path in plain form' }
    return
  }
  const { origin } = new URL(id)
  if (origins.length === 0) {
    if (factsFor(context, path).isLoopback) return
    yield {
      path: ['publicUrl'],
      message: `clients cannot be told where "${id}" is described`,
      expected: '`publicUrl`, the origin under which clients reach the gateway',
    }
  } else if (!origins.includes(origin)) {
    yield {
      path: [...path, 'id'],
      message: `clients would look for its description at ${origin}, which is no \`publicUrl\` of the gateway`,
      expected: `an identifier that begins with ${origins.join(' or ')}`,
    }
  }
}

function* checkServer({ name, provider }: Guard, context: CheckContext): Generator<Complaint> {
  const path: Path = ['authenticators', name, 'resource']
  const settings = factsFor(context, path).provider(provider)
  const issuer = settings === undefined ? undefined : profileFor(settings).issuers[0]
  if (issuer?.includes('{') !== true) return
  yield {
    path,
    message: 'the provider has many issuers, and clients must be told of one',
    expected: 'a provider with one issuer (for Entra: a `tenant`)',
  }
}

/** People grant what they read: a scope too many, or one too few, is a wrong grant. */
function* checkScopes(
  { resource: { id, scopes } }: Guard,
  guards: readonly Guard[],
  path: Path,
  context: CheckContext,
): Generator<Complaint> {
  if (scopes === undefined) return
  const names = new Set(guards.filter(({ resource }) => resource.id === id).map(({ name }) => name))
  const enforced = enforcedScopes(routesOf(context), names)
  if (enforced.join(' ') === [...new Set(scopes)].toSorted().join(' ')) return
  yield {
    path: [...path, 'scopes'],
    message: 'these are not the scopes that its routes ask for',
    expected:
      enforced.length === 0
        ? 'no list: no route of this authenticator asks for a scope'
        : `[${enforced.join(', ')}], or no list: then those are published`,
  }
}

function routesOf({ configuration: { routes, defaults } }: CheckContext): readonly GuardedRoute[] {
  return routes.map((route) => {
    const authenticate = route.authenticate ?? defaults.authenticate ?? 'none'
    const { scopes } = route.authorize ?? defaults.authorize ?? {}
    return {
      authenticate: { mode: 'any', authenticators: namesIn(authenticate, []).map(({ name }) => name) },
      authorize: scopes === undefined ? {} : { scopes },
    }
  })
}
