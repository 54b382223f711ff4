import type { ProviderSettings } from './settings.ts'
import { defineProfile, parameter, urlFault, type Profile, type ProviderKind } from './profile.ts'

const accessTypes: readonly unknown[] = ['Bearer', 'DPoP']

/**
 * Keycloak: realm roles are nested, every token says its kind in the payload's `typ`, and an audience is a client's id
 * unless somebody wrote a URI there. With `client`, that one client's roles count beside the realm's; another client's
 * never do.
 */
export const keycloak: ProviderKind = {
  profile: (settings: ProviderSettings): Profile => {
    const base = parameter(settings, 'url').replace(/\/+$/, '')
    const issuer = `${base}/realms/${encodeURIComponent(parameter(settings, 'realm'))}`
    const { client } = settings.parameters
    return defineProfile(settings, {
      issuers: [issuer],
      keysAddress: `${issuer}/protocol/openid-connect/certs`,
      claims: {
        roles: [['realm_access', 'roles'], ['roles']],
        moreRoles: client === undefined ? [] : [['resource_access', client, 'roles']],
      },
      isClientId: (audience) => !/^[a-z][a-z0-9+.-]*:/i.test(audience),
      kindFault: ({ typ }, acceptsIdTokens) =>
        typ === undefined || accessTypes.includes(typ) || (typ === 'ID' && acceptsIdTokens)
          ? undefined
          : "the payload's `typ` is not that of an access token",
    })
  },
  configurationFault: ({ parameters }) =>
    urlFault('url', parameters['url']) ??
    ((parameters['realm'] ?? '') === '' ? '`realm` is missing' : undefined),
}
