import type { BindingSettings } from '../../bindings/settings.ts'
import type { Secret } from '../../secret.ts'
import type { AuthenticatorSettings } from '../settings.ts'

export interface JwtSettings extends AuthenticatorSettings {
  readonly type: 'jwt'
  readonly provider: string
  /** Any one must be in `aud`; `any` when written so; undefined only where the provider's profile has a rule of its own. */
  readonly audience?: readonly string[] | 'any'
  /** Accepted client ids (Cognito's rule, and an extra demand elsewhere). */
  readonly clients?: readonly string[]
  readonly algorithms: readonly string[]
  /** HMAC algorithms only; decoded bytes. */
  readonly secret?: Secret
  readonly secretEncoding: 'utf8' | 'base64' | 'base64url' | 'hex'
  readonly requireType?: 'at+jwt'
  readonly accept?: 'id-token'
  readonly maxLifetime?: number
  readonly requiredClaims: readonly string[]
  readonly binding: BindingSettings
}

export function isJwt(settings: AuthenticatorSettings | undefined): settings is JwtSettings {
  return settings?.type === 'jwt'
}
