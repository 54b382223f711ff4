/** The admin address: hands the admin API what it shows, from the snapshot of now. */
import { startAdmin } from '../admin-api/server.ts'
import { queryAudit } from '../audit/read/query.ts'
import { createAssertionKeyManager } from '../keys/assertion-keys.ts'
import { createKeyManager, type KeyManager } from '../keys/manager.ts'
import { createRevocationManager, type RevocationManager } from '../keys/revocations.ts'
import type { AdminSettings } from '../configuration.ts'
import type { Provider } from '../remote/provider.ts'
import { isLoopbackHost } from '../remote/address-guard.ts'
import type { Built } from './build.ts'
import type { Foundation } from './services.ts'
import { viewOfProvider, type ProviderView } from './provider-view.ts'
import { packageVersion } from './version.ts'

export interface RunningAdmin {
  readonly url: string
  /** Why there is no API, where there is none. */
  readonly note: string
  readonly keys: KeyManager
  readonly revocations: RevocationManager
  close(): Promise<void>
}

export async function startAdminServer(foundation: Foundation, current: () => Built): Promise<RunningAdmin> {
  const { services, store, audit, revocations } = foundation
  const { clock, log, metrics } = services
  const configuration = (): Built['snapshot']['configuration'] => current().snapshot.configuration
  const keys = createKeyManager({ store: store.apiKeys, audit, clock, configuration })
  const revoking = createRevocationManager({
    store: store.revocations,
    audit,
    clock,
    configuration,
    afterwards: () => revocations.refresh(),
  })
  const describe = (provider: Provider): ProviderView =>
    viewOfProvider(provider, configuration(), clock.now())
  const settings = configuration().admin
  const directory = audit.directory
  const server = await startAdmin({
    host: settings.host,
    port: settings.port,
    token: () => (hasApi(settings) ? settings.token : undefined),
    clock,
    audit,
    keys,
    revocations: revoking,
    assertionKeys: createAssertionKeyManager({ keys: foundation.assertionKeys, audit, clock }),
    providers: {
      list: () => providersOf(current()).map(describe),
      refresh: async (name) => {
        const provider = providersOf(current()).find((each) => each.name === name)
        await provider?.refresh()
        return provider === undefined ? undefined : describe(provider)
      },
    },
    ...(directory === undefined
      ? {}
      : { auditQuery: async (filter) => (await queryAudit(directory, filter)).records.toReversed() }),
    health: () => ({
      status: services.readiness(),
      providersAway: providersOf(current())
        .filter(
          (provider) =>
            provider.report().lastError !== undefined || foundation.providerClients.isAway(provider),
        )
        .map(({ name }) => name),
    }),
    metrics: () => metrics.registry.text(),
    auditKey: () => audit.publicKeyPem,
    onError: (error, requestId) => log.error({ err: error, requestId }, 'the admin API failed'),
    version: packageVersion(),
  })
  return { url: server.url, note: noteOf(settings), keys, revocations: revoking, close: () => server.close() }
}

/** Without a token nobody could be told from anybody; off loopback in the clear the token could be read on the way. */
function hasApi({ host, token }: AdminSettings): boolean {
  return token !== undefined && isLoopbackHost(host)
}

function noteOf(settings: AdminSettings): string {
  if (hasApi(settings)) return ''
  const why = settings.token === undefined ? 'no admin.token' : 'off loopback without TLS'
  return `health and metrics only, no API: ${why}`
}

function providersOf({ providers }: Built): Provider[] {
  return [...providers.values()].map(({ part }) => part)
}
