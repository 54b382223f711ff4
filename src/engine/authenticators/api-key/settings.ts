import type { Secret } from '../../secret.ts'
import type { AuthenticatorSettings } from '../settings.ts'

/** Of `api-key`, and of whatever else takes API keys in a form of its own. */
export interface ApiKeySettings extends AuthenticatorSettings {
  readonly prefix: string
  /** Undefined for `maxLifetime: none`. */
  readonly maxLifetime?: number
  readonly grace: number
  readonly pepper?: Secret
  /** What becomes of a key that was found in public. */
  readonly onLeak: 'revoke' | 'quarantine' | 'report'
}

export function isApiKey(settings: AuthenticatorSettings | undefined): settings is ApiKeySettings {
  return settings?.type === 'api-key' || settings?.takesApiKeys === true
}
