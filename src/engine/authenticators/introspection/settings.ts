import type { BindingSettings } from '../../bindings/settings.ts'
import type { ClientSettings } from '../../providers/client-settings.ts'
import type { AuthenticatorSettings } from '../settings.ts'

export interface IntrospectionSettings extends AuthenticatorSettings {
  readonly type: 'introspection'
  readonly provider: string
  /** Any one must be in `aud` of the answer; `any` when written so. */
  readonly audience: readonly string[] | 'any'
  readonly client: ClientSettings
  /** Milliseconds, as all times here. */
  readonly cacheFor: number
  /** How long after that an old answer serves while the provider is away; 0 where it does not. */
  readonly staleFor: number
  /** Only answers that the provider signed will do. */
  readonly requiresSigned: boolean
  readonly maxLifetime?: number
  readonly binding: BindingSettings
}

export function isIntrospection(
  settings: AuthenticatorSettings | undefined,
): settings is IntrospectionSettings {
  return settings?.type === 'introspection'
}
