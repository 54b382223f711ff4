/**
 * Every standing revocation, in memory: a request asks a few maps and never a store. The set follows the store in the
 * background, and says how old its knowledge is, so that the caller can refuse rather than trust a deaf one (CONTRACT 9).
 */
import type { StoreChangeFeed } from '../../ports/api-keys.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RevocationCheck, RevocationFacts, RevocationStore } from '../../ports/revocations.ts'
import { createRevocationSet } from './revocation-set.ts'

export interface RevocationIndexOptions {
  readonly store: Pick<RevocationStore, 'since' | 'prune'>
  readonly changes: StoreChangeFeed
  readonly clock: Clock
  /** Told when the store could not be read; the next change or `refresh` tries again. */
  readonly onError: (error: unknown) => void
}

export interface RevocationIndex extends RevocationCheck {
  /** Reads what is new. Await it at the start, and after a revocation of one's own that must hold at once. */
  refresh(): Promise<void>
  /** Milliseconds since the set was last known to be the store's; Infinity before the first read. */
  staleFor(now: number): number
  /** How many revocations stand. */
  readonly size: number
  close(): void
}

const retryAfter = 1_000
/** Ended entries are harmless, so they are dropped seldom. */
const pruneEvery = 3_600_000

/** Reads nothing yet: await `refresh` before requests are taken. */
export function createRevocationIndex(options: RevocationIndexOptions): RevocationIndex {
  const { store, changes, clock } = options
  const set = createRevocationSet()
  let cursor = 0
  /** `changes.revocations` when the set was last read; undefined before. */
  let held: number | undefined
  let currentAt = -Infinity
  let reading: Promise<void> | undefined
  let isWanted = false
  const unsubscribe = changes.subscribe(() => {
    if (changes.revocations !== held) void refresh().catch(options.onError)
  })
  const retries = setInterval(() => {
    if (held !== undefined && changes.revocations !== held) void refresh().catch(options.onError)
  }, retryAfter)
  const prunes = setInterval(() => void prune().catch(options.onError), pruneEvery)
  retries.unref()
  prunes.unref()

  /** A caller that comes while a read runs may have written after it began: it gets a read of its own. */
  function refresh(): Promise<void> {
    if (reading !== undefined) {
      isWanted = true
      return reading
    }
    reading = readAll().finally(() => {
      reading = undefined
    })
    return reading
  }

  async function readAll(): Promise<void> {
    do {
      isWanted = false
      const began = changes.revocations
      const checkedAt = changes.checkedAt
      const news = await store.since(cursor)
      for (const revocation of news.revocations) set.put(revocation)
      cursor = news.cursor
      held = began
      currentAt = Math.max(currentAt, checkedAt)
    } while (isWanted)
  }

  async function prune(): Promise<void> {
    const now = clock.now()
    set.dropEnded(now)
    await store.prune(now)
  }

  return {
    isRevoked: (facts: RevocationFacts) => set.size > 0 && set.covers(facts),
    refresh,
    staleFor: (now) => {
      // Nothing new was announced: what is held is as current as the last time the store answered.
      if (held !== undefined && changes.revocations === held) currentAt = changes.checkedAt
      return Math.max(0, now - currentAt)
    },
    get size() {
      return set.size
    },
    close: () => {
      unsubscribe()
      clearInterval(retries)
      clearInterval(prunes)
    },
  }
}
