import type { ProviderSettings } from './settings.ts'
import { allowList, defineProfile, hostFault, parameter, type Profile, type ProviderKind } from './profile.ts'

/**
 * Auth0: the issuer ends in a slash. Access tokens name the client in `azp` or, in the RFC 9068 profile, `client_id`;
 * client ids are 32 letters and digits, and the audience of every ID token. An organisation is the tenant; its id is
 * checked, not its name, which can change. `permissions` are what a user may do, also beyond what the client asked for in
 * `scope`, so they count only where the settings name them.
 */
export const auth0: ProviderKind = {
  profile: (settings: ProviderSettings): Profile => {
    const issuer = `https://${parameter(settings, 'domain')}/`
    const organizations = allowList(settings, 'organizations')
    return defineProfile(settings, {
      issuers: [issuer],
      keysAddress: `${issuer}.well-known/jwks.json`,
      claims: { tenant: [['org_id']] },
      isClientId: (audience) => /^[A-Za-z0-9]{32}$/.test(audience),
      admissionFault: ({ org_id: organization }) =>
        organizations === undefined ||
        (typeof organization === 'string' && organizations.includes(organization))
          ? undefined
          : '`org_id` is not among `organizations`',
    })
  },
  configurationFault: (settings) => {
    const fault = hostFault('domain', settings.parameters['domain'])
    if (fault !== undefined) return fault
    const strange = allowList(settings, 'organizations')?.find((each) => !/^org_[A-Za-z0-9]+$/.test(each))
    return strange === undefined
      ? undefined
      : `\`organizations\`: "${strange}" is no organization id, such as org_AbCdEfGhIjKlMnOp (names can change, ids cannot)`
  },
}
