import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApiKeySettings } from '../../src/engine/authenticators/api-key/settings.ts'
import { createApiKeyAuthenticator } from '../../src/engine/authenticators/api-key/authenticator.ts'
import type { Authenticator } from '../../src/engine/authenticators/authenticator.ts'
import { authenticate, compileChain, type Authentication } from '../../src/engine/authenticate.ts'
import { createRevocationIndex, type RevocationIndex } from '../../src/engine/revocation/index.ts'
import { createKeyManager, type KeyManager } from '../../src/keys/manager.ts'
import { createRevocationManager, type RevocationManager } from '../../src/keys/revocations.ts'
import type { Store } from '../../src/ports/store.ts'
import { openStore } from '../../src/stores/open.ts'
import { gatewayRequest } from './gateway-request.ts'

/** A route that takes API keys, over a real SQLite store, with everything that operators can do to it. */
export interface KeyGate {
  readonly store: Store
  /** Opens the same file once more, as another process would. */
  openAgain(): Promise<Store>
  readonly keys: KeyManager
  readonly revocations: RevocationManager
  readonly index: RevocationIndex
  readonly clock: { time: number; now(): number }
  /** Digest look-ups that reached the store. */
  lookUps: number
  /** Shows a value where keys go. */
  show(value: string): Promise<Authentication>
  /** The private reason of a refusal, or `accepted`. */
  verdict(value: string): Promise<string>
  close(): Promise<void>
}

export function keySettings(edits: Partial<ApiKeySettings> = {}): ApiKeySettings {
  const settings: ApiKeySettings = {
    type: 'api-key',
    name: 'partner-keys',
    in: [{ kind: 'header', name: 'x-api-key' }],
    prefix: 'ptc',
    maxLifetime: 90 * 86_400_000,
    grace: 3_600_000,
    onLeak: 'revoke',
  }
  return { ...settings, ...edits }
}

/** @param configured the authenticators of the configuration; the route takes the first */
export async function openKeyGate(...configured: ApiKeySettings[]): Promise<KeyGate> {
  const all = configured.length === 0 ? [keySettings()] : configured
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-keys-'))
  const clock = {
    time: Date.UTC(2027, 0, 1),
    now(): number {
      return this.time
    },
  }
  const path = join(folder, 'store.db')
  const store = await openStore(path, { clock })
  const index = createRevocationIndex({
    store: store.revocations,
    changes: store.changes,
    clock,
    onError: (error) => {
      throw error
    },
  })
  await index.refresh()
  const configuration = {
    authenticators: Object.fromEntries(all.map((each) => [each.name, each])),
    providers: {},
    routes: [],
  }
  const shared = { audit: { record: () => undefined }, clock, configuration: () => configuration }
  const authenticator: Authenticator = createApiKeyAuthenticator(all[0]!, {
    store: {
      findByDigest: (digest) => {
        gate.lookUps += 1
        return store.apiKeys.findByDigest(digest)
      },
      hasImported: () => store.apiKeys.hasImported(),
      lastSeen: (id, address) => store.apiKeys.lastSeen(id, address),
    },
    changes: store.changes,
    clock,
    revocations: index,
    onUse: () => undefined,
  })
  const chain = compileChain('any', [authenticator])
  const guard = { admit: () => 0, failed: () => undefined }
  const gate: KeyGate = {
    store,
    openAgain: () => openStore(path, { clock }),
    keys: createKeyManager({ ...shared, store: store.apiKeys }),
    revocations: createRevocationManager({
      ...shared,
      store: store.revocations,
      afterwards: () => index.refresh(),
    }),
    index,
    clock,
    lookUps: 0,
    show: async (value) => authenticate(chain, gatewayRequest({ headers: { 'x-api-key': value } }), guard),
    verdict: async (value) => {
      const result = await gate.show(value)
      return result.outcome === 'refused' ? result.refusal.reason : 'accepted'
    },
    close: async () => {
      index.close()
      await store.close()
      rmSync(folder, { recursive: true })
    },
  }
  return gate
}
