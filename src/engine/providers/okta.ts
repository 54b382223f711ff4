import type { ProviderSettings } from '../../configuration.ts'
import { defineProfile, hostFault, parameter, type Profile, type ProviderKind } from './profile.ts'

/**
 * Okta's custom authorization servers: scopes are a list in `scp`, the client is `cid`, and token ids tell the kinds apart.
 * The organisation's own server is refused: it signs access tokens with keys that are not meant for anybody else.
 */
export const okta: ProviderKind = {
  profile: (settings: ProviderSettings): Profile => {
    const server = encodeURIComponent(parameter(settings, 'authorizationServer'))
    const issuer = `https://${parameter(settings, 'domain')}/oauth2/${server}`
    return defineProfile(settings, {
      issuers: [issuer],
      keysAddress: `${issuer}/v1/keys`,
      isClientId: (audience) => /^0oa[A-Za-z0-9]{17}$/.test(audience),
      kindFault: ({ jti }, acceptsIdTokens) => {
        const kind = typeof jti === 'string' ? /^[A-Z]{2}(?=\.)/.exec(jti)?.[0] : undefined
        if (kind === undefined || kind === 'AT' || (kind === 'ID' && acceptsIdTokens)) return undefined
        return 'the token id is not that of an access token'
      },
    })
  },
  configurationFault: ({ parameters }) => {
    const fault = hostFault('domain', parameters['domain'])
    if (fault !== undefined) return fault
    return (parameters['authorizationServer'] ?? '') === ''
      ? "`authorizationServer` is missing: access tokens of Okta's organisation server cannot be checked here, since Okta " +
          'keeps their keys and content to itself; name a custom authorization server, such as `default`, or ask Okta by ' +
          'introspection'
      : undefined
  },
}
