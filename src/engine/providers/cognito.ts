import type { ProviderSettings } from './settings.ts'
import { defineProfile, parameter, type Profile, type ProviderKind } from './profile.ts'

/**
 * Amazon Cognito: an access token usually has no `aud`, so the client that it was issued to is checked instead, and
 * `token_use` always tells the kinds apart.
 */
export const cognito: ProviderKind = {
  profile: (settings: ProviderSettings): Profile => {
    const region = parameter(settings, 'region')
    const zone = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
    const issuer = `https://cognito-idp.${region}.${zone}/${parameter(settings, 'userPoolId')}`
    return defineProfile(settings, {
      issuers: [issuer],
      keysAddress: `${issuer}/.well-known/jwks.json`,
      audienceRule: 'clients',
      claims: { roles: [['cognito:groups'], ['roles']] },
      kindFault: ({ token_use: use }, acceptsIdTokens) =>
        use === 'access' || (use === 'id' && acceptsIdTokens) ? undefined : '`token_use` is not access',
      clientOfIdToken: ({ aud }) => aud,
    })
  },
  configurationFault: ({ parameters }) => {
    const { region = '', userPoolId = '' } = parameters as { region?: string; userPoolId?: string }
    if (!/^[a-z]{2,4}(?:-[a-z]+)+-\d+$/.test(region)) return '`region` must be a region such as eu-west-1'
    if (!/^[\w-]+_[0-9A-Za-z]+$/.test(userPoolId)) {
      return '`userPoolId` must be a user pool id such as eu-west-1_AbCdEfGhI'
    }
    return userPoolId.startsWith(`${region}_`) ? undefined : '`userPoolId` is a pool of another `region`'
  },
}
