import type { ProviderSettings } from '../../configuration.ts'
import { defineProfile, hostFault, parameter, type Profile, type ProviderKind } from './profile.ts'

/**
 * Auth0: the issuer ends in a slash. Access tokens name the client in `azp` or, in the RFC 9068 profile, `client_id`;
 * client ids are 32 letters and digits, and the audience of every ID token.
 */
export const auth0: ProviderKind = {
  profile: (settings: ProviderSettings): Profile => {
    const issuer = `https://${parameter(settings, 'domain')}/`
    return defineProfile(settings, {
      issuers: [issuer],
      keysAddress: `${issuer}.well-known/jwks.json`,
      isClientId: (audience) => /^[A-Za-z0-9]{32}$/.test(audience),
    })
  },
  configurationFault: ({ parameters }) => hostFault('domain', parameters['domain']),
}
