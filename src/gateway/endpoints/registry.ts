/** The gateway's own endpoints, one line each. An endpoint that nothing configured needs is not there: 404. */
import type { Configuration } from '../../configuration.ts'
import type { Authenticator } from '../../engine/authenticators/authenticator.ts'
import type { Login } from '../../login/login.ts'
import type { Foundation } from '../services.ts'
import type { OwnEndpoint } from './endpoint.ts'
import { health } from './health.ts'
import { keySet } from './key-set.ts'
import { githubLeaks } from './leaks.ts'
import { loginEndpoints } from './login.ts'
import { protectedResources } from './protected-resource.ts'

export function ownEndpoints(
  configuration: Configuration,
  foundation: Foundation,
  parts: { readonly login: Login; readonly authenticators: readonly Authenticator[] },
): readonly OwnEndpoint[] {
  return [
    health,
    keySet,
    ...protectedResources(configuration),
    ...githubLeaks(configuration, foundation),
    ...loginEndpoints(configuration, parts.login, parts.authenticators),
  ]
}
