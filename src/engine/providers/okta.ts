import type { ProviderSettings } from './settings.ts'
import { defineProfile, hostFault, parameter, type Profile, type ProviderKind } from './profile.ts'

/**
 * Okta: scopes are a list in `scp`, the client is `cid`, and token ids tell the kinds apart. Without a custom authorization
 * server it is the organisation's own, whose access tokens only Okta can judge: they are looked up, never verified here.
 */
export const okta: ProviderKind = {
  profile: (settings: ProviderSettings): Profile => {
    const server = settings.parameters['authorizationServer']
    const organisation = `https://${parameter(settings, 'domain')}`
    const issuer =
      server === undefined ? organisation : `${organisation}/oauth2/${encodeURIComponent(server)}`
    return defineProfile(settings, {
      issuers: [issuer],
      keysAddress: server === undefined ? `${organisation}/oauth2/v1/keys` : `${issuer}/v1/keys`,
      ...(server === undefined ? { opaqueBecause: organisationServer } : {}),
      isClientId: (audience) => /^0oa[A-Za-z0-9]{17}$/.test(audience),
      kindFault: ({ jti }, acceptsIdTokens) => {
        const kind = typeof jti === 'string' ? /^[A-Z]{2}(?=\.)/.exec(jti)?.[0] : undefined
        if (kind === undefined || kind === 'AT' || (kind === 'ID' && acceptsIdTokens)) return undefined
        return 'the token id is not that of an access token'
      },
    })
  },
  configurationFault: ({ parameters }) => hostFault('domain', parameters['domain']),
}

const organisationServer =
  "access tokens of Okta's organisation server cannot be verified here, since Okta keeps their keys and content to itself"
