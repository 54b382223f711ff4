/** What a configuration asks of one provider: endpoints, keys, ways to prove oneself. */
import type { Configuration } from '../../configuration.ts'
import { isIntrospection } from '../../engine/authenticators/introspection/settings.ts'
import { publicKeyAlgorithms } from '../../engine/authenticators/jwt/algorithms.ts'
import { isJwt } from '../../engine/authenticators/jwt/settings.ts'
import { isSession } from '../../engine/authenticators/session/settings.ts'
import type { ClientMethod } from '../../engine/providers/client-settings.ts'
import type { EndpointName } from '../discovery.ts'

export interface ProviderNeeds {
  /** Each endpoint, and whom it is for. */
  readonly endpoints: ReadonlyMap<EndpointName, string>
  /** Who signs browsers in there. */
  readonly logins: readonly string[]
  /** True where browsers choose among several providers, of which this is one. */
  readonly sharesLogin: boolean
  /** Who verifies with the published keys, and by which algorithms. */
  readonly verifiers: readonly { readonly by: string; readonly algorithms: readonly string[] }[]
  /** Where the gateway is a client, and how it proves that. */
  readonly clients: readonly {
    readonly by: string
    readonly method: ClientMethod
    readonly endpoint: 'token' | 'introspection'
  }[]
}

type Needing = Pick<Configuration, 'authenticators' | 'routes'>

const anyAlgorithm: readonly string[] = Object.keys(publicKeyAlgorithms)

export function needsOf({ authenticators, routes }: Needing, provider: string): ProviderNeeds {
  const endpoints = new Map<EndpointName, string>()
  const want = (endpoint: EndpointName, by: string): void => {
    if (!endpoints.has(endpoint)) endpoints.set(endpoint, by)
  }
  const logins: string[] = []
  let sharesLogin = false
  const verifiers: { by: string; algorithms: readonly string[] }[] = []
  const clients: ProviderNeeds['clients'][number][] = []
  for (const settings of Object.values(authenticators)) {
    if (settings.providers?.includes(provider) !== true) continue
    const by = `authenticator "${settings.name}"`
    if (isJwt(settings) && settings.secret === undefined) {
      verifiers.push({ by, algorithms: settings.algorithms })
    } else if (isIntrospection(settings)) {
      want('introspection', by)
      clients.push({ by, method: settings.client.method, endpoint: 'introspection' })
      if (settings.requiresSigned) verifiers.push({ by, algorithms: anyAlgorithm })
    } else if (isSession(settings)) {
      logins.push(by)
      sharesLogin ||= settings.providers.length > 1
      for (const endpoint of ['authorization', 'token', 'endSession', 'revocation'] as const)
        want(endpoint, by)
      if (settings.claimsFrom === 'userinfo') want('userinfo', by)
      const client = settings.clients[provider]
      if (client !== undefined) clients.push({ by, method: client.method, endpoint: 'token' })
      verifiers.push({ by, algorithms: anyAlgorithm })
    }
  }
  for (const { id, forward } of routes) {
    const { backendToken } = forward
    if (backendToken?.provider !== provider) continue
    const by = `route "${id}"`
    want('token', by)
    clients.push({ by, method: backendToken.client.method, endpoint: 'token' })
  }
  return { endpoints, logins, sharesLogin, verifiers, clients }
}
