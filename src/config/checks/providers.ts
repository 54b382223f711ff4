/** Identity providers: what their own profile refuses, endpoints, and plain HTTP. */
import { configurationFault } from '../../engine/providers/registry.ts'
import { compileProvider, parametersOf } from '../compile-identity.ts'
import type { Complaint } from '../fault.ts'
import type { Path } from '../path.ts'
import { isLoopback } from '../scalars/network.ts'
import { endpointNames, type ParsedProvider } from '../schema/providers.ts'
import type { Check } from './check.ts'

export const checkProviders: Check = function* (context) {
  for (const [name, provider] of Object.entries(context.configuration.providers)) {
    const path: Path = ['providers', name]
    yield* checkEndpoints(provider, path)
    yield* checkInsecure(provider, path)
    const fault = providerFault(name, provider)
    if (fault !== undefined) {
      const member = /^`(\w+)`/.exec(fault)?.[1]
      yield { path: member === undefined ? path : [...path, member], message: fault }
    }
  }
}

/** @returns what the provider's profile says against its settings */
export function providerFault(name: string, provider: ParsedProvider): string | undefined {
  return configurationFault(compileProvider(name, provider, '/'))
}

function* checkEndpoints(provider: ParsedProvider, path: Path): Generator<Complaint> {
  for (const name of endpointNames) {
    if (provider[name] === undefined || provider.endpoints[name] === undefined) continue
    yield {
      path: [...path, name],
      message: 'this endpoint is given twice',
      expected: `it under \`endpoints\`, or here`,
    }
  }
}

/** Who can change what comes over plain HTTP can replace the keys, and sign as anybody. */
function* checkInsecure(provider: ParsedProvider, path: Path): Generator<Complaint> {
  if (provider.allowInsecure) return
  const places: [Path, unknown][] = [
    ...Object.entries(parametersOf(provider)).map(([key, value]): [Path, unknown] => [[...path, key], value]),
    ...endpointNames.map((name): [Path, unknown] => [[...path, name], provider[name]]),
    ...endpointNames.map((name): [Path, unknown] => [[...path, 'endpoints', name], provider.endpoints[name]]),
  ]
  for (const [place, value] of places) {
    if (typeof value !== 'string' || !/^http:\/\//i.test(value) || isLoopback(new URL(value).hostname))
      continue
    yield {
      path: place,
      message:
        'plain HTTP to another machine: whoever sits between could replace the keys and sign as anybody',
      expected: 'https://, or `allowInsecure: true` on the provider if you accept that',
    }
  }
}
