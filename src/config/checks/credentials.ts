/** What the authenticators say of themselves: each type's own checks, and that no place is named twice. */
import { kindOf } from '../../engine/authenticators/registry.ts'
import { placesShared } from '../../engine/authenticators/places.ts'
import type { CheckFacts } from '../../engine/authenticators/kind.ts'
import type { CredentialPlace } from '../../engine/identity.ts'
import type { ProviderSettings } from '../../engine/providers/settings.ts'
import { compileProvider } from '../compile-identity.ts'
import { valueAt, type Path } from '../path.ts'
import type { Check, CheckContext } from './check.ts'
import { compileContext, originsOf } from '../compile-authenticator.ts'
import { providerFault } from './providers.ts'

export const checkAuthenticators: Check = function* (context) {
  for (const [name, authenticator] of Object.entries(context.configuration.authenticators)) {
    const check = kindOf(authenticator.type)?.check
    if (check !== undefined) yield* check(name, authenticator, factsFor(context, ['authenticators', name]))
  }
}

export const checkPlaces: Check = function* (context) {
  for (const [name, authenticator] of Object.entries(context.configuration.authenticators)) {
    const places = placesOf(authenticator)
    for (const [index, place] of places.entries()) {
      if (!placesShared([place], places.slice(0, index))) continue
      yield {
        path: ['authenticators', name, 'in', index],
        message: 'this place is named already',
        expected: 'each place once',
      }
    }
  }
}

export function placesOf(authenticator: object): readonly CredentialPlace[] {
  return 'in' in authenticator ? (authenticator.in as readonly CredentialPlace[]) : []
}

export function factsFor(context: CheckContext, path: Path): CheckFacts {
  const { configuration } = context
  return {
    ...compileContext(originsOf(configuration), context.folder, configuration.authenticators),
    path,
    provider: (name) => workingProvider(context, name),
    written: (at) => valueAt(context.tree, at),
    isLoopback: configuration.listeners.every(({ address }) => isLoopbackName(address.host)),
    trustsProxies: configuration.trustedProxies.length > 0,
    plainListener: plainListener(configuration),
  }
}

function plainListener({ listeners }: CheckContext['configuration']): number | undefined {
  const index = listeners.findIndex(({ address, tls }) => tls === undefined && !isLoopbackName(address.host))
  return index === -1 ? undefined : index
}

function isLoopbackName(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || host.startsWith('127.')
}

function workingProvider(context: CheckContext, name: string): ProviderSettings | undefined {
  const parsed = Object.hasOwn(context.configuration.providers, name)
    ? context.configuration.providers[name]
    : undefined
  if (parsed === undefined || providerFault(name, parsed) !== undefined) return undefined
  return compileProvider(name, parsed, context.folder)
}
