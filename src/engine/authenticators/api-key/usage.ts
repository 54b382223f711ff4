/** Writes `lastUsedAt` off the request's path: a use is a map look-up, and the store is written in batches. */
import { LRUCache } from 'lru-cache'
import type { ApiKeyStore } from '../../../ports/api-keys.ts'
import type { Clock } from '../../../ports/clock.ts'

export interface UsageOptions {
  readonly store: Pick<ApiKeyStore, 'touch'>
  readonly clock: Clock
  /** Told when a batch could not be written; its uses are kept for the next one. */
  readonly onError: (error: unknown) => void
  /** Milliseconds between batches. */
  readonly every?: number
}

export interface UsageCollector {
  /** Notes a use; each key is written at most once a minute. */
  note(id: string, at: number): void
  /** Writes what is pending. */
  flush(): Promise<void>
  /** Ends the timer and writes the rest: call it before the store closes. */
  close(): Promise<void>
}

const oncePer = 60_000
/** Also the most that waits while the store is away; last-used times are worth no more memory than that. */
const capacity = 50_000

export function createUsageCollector(options: UsageOptions): UsageCollector {
  const noted = new LRUCache<string, number>({ max: capacity })
  let pending = new Map<string, number>()
  let writing = Promise.resolve()
  const timer = setInterval(() => void flush(), options.every ?? 2_000)
  timer.unref()

  function note(id: string, at: number): void {
    const last = noted.get(id)
    if (last !== undefined && at - last < oncePer && at >= last) return
    if (pending.size >= capacity) return
    noted.set(id, at)
    pending.set(id, at)
  }

  function flush(): Promise<void> {
    writing = writing.then(write)
    return writing
  }

  async function write(): Promise<void> {
    if (pending.size === 0) return
    const batch = pending
    pending = new Map()
    try {
      await options.store.touch([...batch].map(([id, at]) => ({ id, at })))
    } catch (error) {
      for (const [id, at] of batch) {
        if (pending.size < capacity && !pending.has(id)) pending.set(id, at)
      }
      options.onError(error)
    }
  }

  return {
    note,
    flush,
    close: () => {
      clearInterval(timer)
      return flush()
    },
  }
}
