import type { ProviderSettings } from '../../configuration.ts'
import { defineProfile, type Profile, type ProviderKind } from './profile.ts'

/** Legacy clients still get the form without a scheme. */
const issuers = ['https://accounts.google.com', 'accounts.google.com'] as const

/** Google: its access tokens are opaque, so what arrives as a JWT is an ID token, whose audience is a client's id. */
export const google: ProviderKind = {
  profile: (settings: ProviderSettings): Profile =>
    defineProfile(settings, {
      issuers,
      keysAddress: 'https://www.googleapis.com/oauth2/v3/certs',
      sameIssuers: () => issuers,
      isClientId: () => true,
    }),
  configurationFault: () => undefined,
}
