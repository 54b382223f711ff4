import type { ApiKeyStore, StoreChangeFeed } from './api-keys.ts'
import type { ExpiryNotices } from './expiry-notices.ts'
import type { Facts } from './facts.ts'
import type { Outbox } from './outbox.ts'
import type { RevocationStore } from './revocations.ts'
import type { SessionStore } from './sessions.ts'

/** One opened store: what one place keeps for all of us. */
export interface Store {
  readonly apiKeys: ApiKeyStore
  readonly expiryNotices: ExpiryNotices
  readonly revocations: RevocationStore
  readonly sessions: SessionStore
  readonly changes: StoreChangeFeed
  readonly outbox: Outbox
  readonly meta: Facts
  /** Waits for writes under way. Nothing may be asked afterwards. */
  close(): Promise<void>
}
