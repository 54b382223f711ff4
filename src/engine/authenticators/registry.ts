/** The authenticators that exist, one line each: an explicit list, so that a reader, a reviewer and the type checker see the set. */
import type { ApiKeySettings, AuthenticatorSettings, JwtSettings } from '../../configuration.ts'
import { createApiKeyAuthenticator, type ApiKeyDependencies } from './api-key/authenticator.ts'
import type { Authenticator } from './authenticator.ts'
import { createJwtAuthenticator, type JwtDependencies } from './jwt/jwt-authenticator.ts'

/** What each type needs beside its settings; made on demand, since no configuration has all of them. */
export interface AuthenticatorDependencies {
  readonly apiKey: (settings: ApiKeySettings) => ApiKeyDependencies
  readonly jwt: (settings: JwtSettings) => JwtDependencies
}

export function createAuthenticator(
  settings: AuthenticatorSettings,
  deps: AuthenticatorDependencies,
): Authenticator {
  switch (settings.type) {
    case 'api-key':
      return createApiKeyAuthenticator(settings, deps.apiKey(settings))
    case 'jwt':
      return createJwtAuthenticator(settings, deps.jwt(settings))
  }
}
