/** A client at an authorization server of the harness, as the gateway makes one. */
import type { ProviderSettings } from '../../src/configuration.ts'
import type { ClientSettings } from '../../src/engine/providers/client-settings.ts'
import { Secret } from '../../src/engine/secret.ts'
import { createProvider, type Provider } from '../../src/remote/provider.ts'
import { createProviderClient, type ProviderClient } from '../../src/remote/provider-client.ts'
import type { SecretReport } from '../../src/remote/client-secrets.ts'

export interface ClientChanges {
  readonly client?: Partial<Omit<ClientSettings, 'secrets'>> & { readonly secrets?: readonly string[] }
  readonly provider?: Partial<ProviderSettings>
  readonly timeout?: number
  readonly onSecret?: (report: SecretReport) => void
}

export interface TestClient {
  readonly provider: Provider
  readonly client: ProviderClient
  readonly close: () => void
}

export function clientAt(issuer: string, changes: ClientChanges = {}): TestClient {
  const clock = { now: () => Date.now() }
  const settings: ProviderSettings = {
    name: 'corp',
    type: 'oidc',
    parameters: { issuer },
    discovery: true,
    endpoints: {},
    clockSkew: 30_000,
    staleKeys: 60_000,
    claims: {},
    allowInsecure: false,
    ...changes.provider,
  }
  const { secrets = ['s3cret'], ...client } = changes.client ?? {}
  const provider = createProvider(settings, { clock, prefetch: false })
  const made = createProviderClient(
    provider,
    { id: 'gw', method: 'secret', ...client, secrets: secrets.map((each) => new Secret(each)) },
    {
      clock,
      ...(changes.timeout === undefined ? {} : { timeout: changes.timeout }),
      ...(changes.onSecret === undefined ? {} : { onSecret: changes.onSecret }),
    },
  )
  return {
    provider,
    client: made,
    close: () => {
      made.close()
      provider.close()
    },
  }
}
