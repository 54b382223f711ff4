/** Every provider type and its file. */
import type { ProviderSettings, ProviderType } from './settings.ts'
import { auth0 } from './auth0.ts'
import { cognito } from './cognito.ts'
import { entra } from './entra.ts'
import { githubActions } from './github-actions.ts'
import { google } from './google.ts'
import { keycloak } from './keycloak.ts'
import { kubernetes } from './kubernetes.ts'
import { oidc } from './oidc.ts'
import { okta } from './okta.ts'
import type { Profile, ProviderKind } from './profile.ts'
import { spiffe } from './spiffe.ts'

const kinds: Readonly<Record<ProviderType, ProviderKind>> = {
  oidc,
  auth0,
  okta,
  cognito,
  entra,
  keycloak,
  google,
  'github-actions': githubActions,
  kubernetes,
  spiffe,
}

/**
 * @returns the profile of a valid provider
 * @throws TypeError when a parameter is missing: validation comes first
 */
export function profileFor(settings: ProviderSettings): Profile {
  return kinds[settings.type].profile(settings)
}

/** @returns what in a provider's settings cannot work, in words for whoever wrote them; undefined when nothing */
export function configurationFault(settings: ProviderSettings): string | undefined {
  return kinds[settings.type].configurationFault(settings)
}

/** @returns each issuer that the provider's tokens may name; with `{tenantid}` for a multi-tenant one */
export function expectedIssuers(settings: ProviderSettings): readonly string[] {
  return profileFor(settings).issuers
}

/** @returns whether the provider's published keys can be found: by an address, by discovery, or by its profile */
export function hasKeySource(settings: ProviderSettings): boolean {
  if (settings.discovery || settings.endpoints['jwks'] !== undefined) return true
  return profileFor(settings).keysAddress !== undefined
}
