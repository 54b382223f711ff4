/** What a login asks for: unless it is written, what the routes of the authenticator require, as far as the provider lists it. */
import type { LoginDependencies } from './dependencies.ts'
import type { Party } from './party.ts'
import type { Choice } from './settings.ts'

/** Providers that give a refresh token only to who asks for it so. Elsewhere the word can mean a session without an end. */
const asksForOffline: readonly string[] = ['auth0', 'okta', 'entra']

export async function scopeFor(
  deps: Pick<LoginDependencies, 'configuration' | 'provider'>,
  { settings, provider }: Choice,
  party: Pick<Party, 'scopesSupported'>,
): Promise<string> {
  if (settings.scopes !== undefined) return joined(['openid', ...settings.scopes])
  const supported = await party.scopesSupported()
  const { type } = deps.provider(provider).settings
  const wanted = [
    'profile',
    'email',
    ...(asksForOffline.includes(type) ? ['offline_access'] : []),
    ...scopesOfRoutes(deps, settings.name),
  ]
  return joined(['openid', ...wanted.filter((each) => supported === undefined || supported.includes(each))])
}

function scopesOfRoutes(
  { configuration }: Pick<LoginDependencies, 'configuration'>,
  authenticator: string,
): readonly string[] {
  return configuration.routes
    .filter(
      ({ authenticate }) =>
        authenticate.mode !== 'none' && authenticate.authenticators.includes(authenticator),
    )
    .flatMap(({ authorize }) => authorize?.scopes ?? [])
}

function joined(scopes: readonly string[]): string {
  return [...new Set(scopes)].join(' ')
}
