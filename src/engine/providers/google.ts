import type { ProviderSettings } from './settings.ts'
import { allowList, defineProfile, hostFault, type Profile, type ProviderKind } from './profile.ts'

/** Legacy clients still get the form without a scheme. */
const issuers = ['https://accounts.google.com', 'accounts.google.com'] as const

/**
 * Google: its access tokens are opaque, so what arrives as a JWT is an ID token, whose audience is a client's id. A service
 * account of anybody's project can ask for an ID token with any audience; `domains` holds callers to Workspace domains.
 */
export const google: ProviderKind = {
  profile: (settings: ProviderSettings): Profile => {
    const domains = allowList(settings, 'domains')
    return defineProfile(settings, {
      issuers,
      keysAddress: 'https://www.googleapis.com/oauth2/v3/certs',
      sameIssuers: () => issuers,
      isClientId: () => true,
      admissionFault: ({ hd }) =>
        domains === undefined || (typeof hd === 'string' && domains.includes(hd.toLowerCase()))
          ? undefined
          : '`hd` is not among `domains`',
      ...(domains === undefined ? { openTo: everybody } : {}),
    })
  },
  configurationFault: (settings) => {
    const strange = allowList(settings, 'domains')?.find(
      (each) => each !== each.toLowerCase() || hostFault('domains', each) !== undefined,
    )
    return strange === undefined
      ? undefined
      : `\`domains\`: "${strange}" is no domain of a Workspace, such as example.com`
  },
}

const everybody = {
  severity: 'warning',
  whose: 'every Google account, and every service account of any Google Cloud project',
  how: 'a service account can ask for an ID token with any audience',
  claims: ['hd', 'email', 'sub'],
  members: ['domains'],
} as const
