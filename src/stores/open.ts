import type { Clock } from '../ports/clock.ts'
import type { Store } from '../ports/store.ts'

export interface OpenOptions {
  readonly clock: Clock
  /** Told of failures in the background: the store cannot be asked whether something changed. */
  readonly onError?: (error: unknown) => void
}

/**
 * Opens a store; its driver is loaded only when it is chosen.
 *
 * @param path an absolute path of a SQLite file, or `:memory:` for one that ends with the process
 * @throws Error with a readable message
 */
export async function openStore(path: string, options: OpenOptions): Promise<Store> {
  if (path === ':memory:') {
    const { openMemoryStore } = await import('./memory/store.ts')
    return openMemoryStore(options.clock)
  }
  const { openSqliteStore } = await import('./sqlite/store.ts')
  return openSqliteStore(path, options)
}
