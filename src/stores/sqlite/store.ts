import type { Clock } from '../../ports/clock.ts'
import type { Store } from '../../ports/store.ts'
import { sqliteApiKeys, sqliteExpiryNotices } from './api-keys.ts'
import { pollChanges } from './changes.ts'
import { openConnection } from './connection.ts'
import { sqliteMeta } from './meta.ts'
import { sqliteOutbox } from './outbox.ts'
import { sqliteRevocations } from './revocations.ts'
import { sqliteSessions } from './sessions.ts'

export interface SqliteOptions {
  readonly clock: Clock
  /** Told of polls for changes that failed. */
  readonly onError?: (error: unknown) => void
}

/**
 * Opens the file, making it (mode 0600) and its tables where they are missing.
 *
 * @throws Error with a readable message when the file is newer than this version, or is no store
 */
export function openSqliteStore(path: string, options: SqliteOptions): Store {
  const connection = openConnection(path)
  const changes = pollChanges(connection, path, options.clock, options.onError ?? (() => undefined))
  const changed = (): void => changes.check()
  return {
    apiKeys: sqliteApiKeys(connection, changed),
    expiryNotices: sqliteExpiryNotices(connection),
    revocations: sqliteRevocations(connection, changed),
    sessions: sqliteSessions(connection, changed),
    changes,
    outbox: sqliteOutbox(connection, options.clock),
    meta: sqliteMeta(connection),
    close: async () => {
      changes.close()
      await connection.close()
    },
  }
}
