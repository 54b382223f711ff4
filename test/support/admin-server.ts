import { Secret } from '../../src/engine/secret.ts'
import { createKeyManager } from '../../src/keys/manager.ts'
import { createRevocationManager } from '../../src/keys/revocations.ts'
import { assertionKeysIn } from './assertion-key-manager.ts'
import type { ApiKeySettings } from '../../src/engine/authenticators/api-key/settings.ts'
import type { Configuration } from '../../src/configuration.ts'
import type { AuditEntry } from '../../src/ports/audit-log.ts'
import type { Store } from '../../src/ports/store.ts'
import { openStore } from '../../src/stores/open.ts'
import { startAdmin, type AdminServer } from '../../src/admin-api/server.ts'

export interface AdminSetting {
  readonly server: AdminServer
  readonly store: Store
  readonly events: AuditEntry[]
  readonly clock: { time: number; now(): number }
}

const keys: ApiKeySettings = {
  type: 'api-key',
  name: 'partner-keys',
  in: [],
  prefix: 'ptc',
  grace: 0,
  onLeak: 'revoke',
}

/** A real admin server on a free port of loopback, over a store in memory. */
export async function startAdminSetting(token: string): Promise<AdminSetting> {
  const clock = {
    time: Date.UTC(2027, 0, 1),
    now(): number {
      return this.time
    },
  }
  const store = await openStore(':memory:', { clock })
  const events: AuditEntry[] = []
  const audit = {
    record: (entry: AuditEntry) => {
      events.push(entry)
      return undefined
    },
  }
  const configuration = { authenticators: { 'partner-keys': keys }, providers: {}, routes: [] }
  const shared = { audit, clock, configuration: () => configuration as unknown as Configuration }
  const server = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    token: () => new Secret(token),
    clock,
    audit,
    keys: createKeyManager({ ...shared, store: store.apiKeys }),
    revocations: createRevocationManager({ ...shared, store: store.revocations }),
    assertionKeys: await assertionKeysIn(store, shared),
    providers: { list: () => [], refresh: async () => undefined },
    health: () => ({ status: 'ready', providersAway: [] }),
    metrics: () => '',
    auditKey: () => undefined,
    onError: () => undefined,
    version: '0.0.0',
  })
  return { server, store, events, clock }
}
