/** Providers, from what was written to what the engine reads. */
import { resolve } from 'node:path'
import type { ProviderSettings } from '../engine/providers/settings.ts'
import { endpointNames, type ParsedProvider } from './schema/providers.ts'

export function compileProvider(name: string, provider: ParsedProvider, folder: string): ProviderSettings {
  const given = endpointNames.flatMap((each) => {
    const url = provider.endpoints[each] ?? provider[each]
    return typeof url === 'string' ? [[each, url]] : []
  })
  return {
    name,
    type: provider.type,
    parameters: absolutePaths(parametersOf(provider), folder),
    ...listsOf(provider),
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

function listsOf(provider: ParsedProvider): Pick<ProviderSettings, 'lists'> {
  const own = Object.entries(provider).filter(([key, value]) => !common.has(key) && Array.isArray(value))
  return own.length === 0 ? {} : { lists: Object.fromEntries(own) as Record<string, readonly string[]> }
}

/** What names a file; `bundle` may be a URL as well. */
function absolutePaths(parameters: Record<string, string>, folder: string): Record<string, string> {
  const { tokenFile, bundle } = parameters
  return {
    ...parameters,
    ...(tokenFile === undefined ? {} : { tokenFile: resolve(folder, tokenFile) }),
    ...(bundle === undefined || /^https?:/i.test(bundle) ? {} : { bundle: resolve(folder, bundle) }),
  }
}
