/** The description of each resource, made once from the configuration. */
import type { AuthenticatorSettings } from '../authenticators/settings.ts'
import { dpopAlgorithms } from '../challenge.ts'
import { metadataPath } from './resource.ts'

/** A route as far as resources go. */
export interface GuardedRoute {
  readonly authenticate: { readonly mode: string; readonly authenticators?: readonly string[] }
  readonly authorize?: { readonly scopes?: readonly string[] }
}

export interface DescribedResource {
  readonly id: string
  /** Where the description stands. */
  readonly path: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/**
 * @param issuerOf the issuer of a provider by its name: the authorization server that clients go to
 * @returns one description for each identifier: authenticators that share one describe one resource
 * @see RFC 9728 section 2
 */
export function describeResources(
  authenticators: Readonly<Record<string, AuthenticatorSettings>>,
  routes: readonly GuardedRoute[],
  issuerOf: (provider: string) => string,
): readonly DescribedResource[] {
  const byId = Map.groupBy(
    Object.values(authenticators).filter(({ resource }) => resource !== undefined),
    ({ resource }) => resource!.id,
  )
  return [...byId].map(([id, guards]) => ({
    id,
    path: metadataPath(id),
    metadata: Object.freeze({
      resource: id,
      authorization_servers: unique(guards.flatMap(({ providers = [] }) => providers.map(issuerOf))),
      ...listed('scopes_supported', enforcedScopes(routes, new Set(guards.map(({ name }) => name)))),
      ...listed('bearer_methods_supported', unique(guards.flatMap(methodsOf))),
      ...bindingOf(guards),
      ...documentationOf(guards),
    }),
  }))
}

/** @returns the scopes that routes of these authenticators ask for, sorted */
export function enforcedScopes(
  routes: readonly GuardedRoute[],
  names: ReadonlySet<string>,
): readonly string[] {
  const guarded = routes.filter(({ authenticate }) =>
    authenticate.authenticators?.some((name) => names.has(name)),
  )
  return unique(guarded.flatMap(({ authorize }) => authorize?.scopes ?? [])).toSorted()
}

/** What has no elements is left out (RFC 9728 section 3.2). */
function listed(name: string, values: readonly string[]): Record<string, readonly string[]> {
  return values.length === 0 ? {} : { [name]: values }
}

function methodsOf({ in: places }: AuthenticatorSettings): readonly string[] {
  return places.flatMap((place) => {
    if (place.kind === 'query') return ['query']
    return place.kind === 'header' && place.scheme?.toLowerCase() === 'bearer' ? ['header'] : []
  })
}

function bindingOf(guards: readonly AuthenticatorSettings[]): Record<string, unknown> {
  const modes = guards.map(({ resource }) => resource!.binding)
  const takesProofs = modes.some((mode) => mode === 'dpop' || mode === 'required' || mode === 'optional')
  return {
    ...(modes.every((mode) => mode === 'mtls') ? { tls_client_certificate_bound_access_tokens: true } : {}),
    ...(takesProofs ? { dpop_signing_alg_values_supported: dpopAlgorithms } : {}),
    ...(modes.every((mode) => mode === 'dpop') ? { dpop_bound_access_tokens_required: true } : {}),
  }
}

function documentationOf(guards: readonly AuthenticatorSettings[]): Record<string, string> {
  const written = guards.map(({ resource }) => resource!.documentation).find((each) => each !== undefined)
  return written === undefined ? {} : { resource_documentation: written }
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)]
}
