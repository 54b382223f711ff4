import type { ProviderSettings } from './settings.ts'
import { defineProfile, parameter, urlFault, type Profile, type ProviderKind } from './profile.ts'

/** Any OAuth 2 or OpenID provider that publishes its keys: the issuer is taken as it is written. */
export const oidc: ProviderKind = {
  profile: (settings: ProviderSettings): Profile =>
    defineProfile(settings, { issuers: [parameter(settings, 'issuer')] }),
  configurationFault: ({ parameters }) => urlFault('issuer', parameters['issuer']),
}
