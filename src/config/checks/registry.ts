/** All checks, in the order in which they are asked. To add one: its file, and a line here. */
import { checkAuthenticateForms, checkAuthenticateWritten, checkCompetition } from './authenticate.ts'
import { checkBackendTokens } from './backend-tokens.ts'
import type { Check } from './check.ts'
import { checkConditions } from './conditions.ts'
import { checkAuthenticators, checkPlaces } from './credentials.ts'
import { checkForward, checkResponse } from './headers.ts'
import { checkLeaks } from './leaks.ts'
import { checkAddresses, checkClientCertificates, checkProxyProtocol, checkState } from './listeners.ts'
import { checkReferences, checkRouteIds } from './names.ts'
import { checkProviders } from './providers.ts'
import { checkResources } from './resources.ts'
import { checkCors, checkMatches, checkRewrites } from './routes.ts'
import { checkUpstreams } from './upstreams.ts'

export const checks: readonly Check[] = [
  checkAddresses,
  checkClientCertificates,
  checkProxyProtocol,
  checkState,
  checkLeaks,
  checkProviders,
  checkAuthenticators,
  checkPlaces,
  checkResources,
  checkUpstreams,
  checkReferences,
  checkRouteIds,
  checkAuthenticateWritten,
  checkAuthenticateForms,
  checkCompetition,
  checkMatches,
  checkRewrites,
  checkCors,
  checkForward,
  checkBackendTokens,
  checkResponse,
  checkConditions,
]
