/** Providers, from what was written to what the engine reads. */
import { resolve } from 'node:path'
import { providerTypes, type ProviderSettings, type ProviderType } from '../engine/providers/settings.ts'
import { endpointNames, type ParsedProvider } from './schema/providers.ts'

type KnownProvider = ParsedProvider & { readonly type: ProviderType }

/** Narrows to the types that this version has profiles for. */
export function isKnownProvider(provider: ParsedProvider): provider is KnownProvider {
  return (providerTypes as readonly string[]).includes(provider.type)
}

export function compileProvider(name: string, provider: KnownProvider, folder: string): ProviderSettings {
  const given = endpointNames.flatMap((each) => {
    const url = provider.endpoints[each] ?? provider[each]
    return typeof url === 'string' ? [[each, url]] : []
  })
  return {
    name,
    type: provider.type,
    parameters: parametersOf(provider),
    discovery: provider.discovery,
    endpoints: Object.fromEntries(given) as Record<string, string>,
    ...(provider.ca === undefined ? {} : { ca: resolve(folder, provider.ca) }),
    clockSkew: provider.clockSkew,
    staleKeys: provider.staleKeys,
    claims: provider.claims,
    allowInsecure: provider.allowInsecure,
  }
}

const common: ReadonlySet<string> = new Set([
  'type',
  'discovery',
  'endpoints',
  'ca',
  'clockSkew',
  'staleKeys',
  'claims',
  'allowInsecure',
  ...endpointNames,
])

/** What the provider's own type is told: issuer, domain, tenant, … */
export function parametersOf(provider: ParsedProvider): Record<string, string> {
  const own = Object.entries(provider).filter(([key, value]) => !common.has(key) && typeof value === 'string')
  return Object.fromEntries(own) as Record<string, string>
}
