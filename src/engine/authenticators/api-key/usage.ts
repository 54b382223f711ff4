/** Writes `lastUsedAt`, and where keys are used from, off the request's path: a use is a map look-up, and the store is written in batches. */
import { LRUCache } from 'lru-cache'
import type { ApiKeyStore, KeyUse } from '../../../ports/api-keys.ts'
import type { Clock } from '../../../ports/clock.ts'
import { addressBlock } from '../../addresses.ts'
import { quarantineWindow } from './life.ts'

export interface UsageOptions {
  readonly store: Pick<ApiKeyStore, 'touch' | 'forgetAddresses'>
  readonly clock: Clock
  /** Told when a batch could not be written; its uses are kept for the next one. */
  readonly onError: (error: unknown) => void
  /** Milliseconds between batches. */
  readonly every?: number
}

export interface UsageCollector {
  /**
   * Notes a use; each key is written at most once a minute, and each of its addresses at most once an hour.
   *
   * @param address where it came from, where that is to be remembered
   */
  note(id: string, at: number, address?: string): void
  /** Writes what is pending. */
  flush(): Promise<void>
  /** Ends the timer and writes the rest: call it before the store closes. */
  close(): Promise<void>
}

const oncePer = 60_000
const addressOncePer = 3_600_000
const forgetEvery = 3_600_000
/** Also the most that waits while the store is away; last-used times are worth no more memory than that. */
const capacity = 50_000

export function createUsageCollector(options: UsageOptions): UsageCollector {
  const noted = new LRUCache<string, number>({ max: capacity })
  const notedAddresses = new LRUCache<string, number>({ max: capacity })
  let pending = new Map<string, KeyUse>()
  let writing = Promise.resolve()
  const timer = setInterval(() => void flush(), options.every ?? 2_000)
  const forgetting = setInterval(() => void forget().catch(options.onError), forgetEvery)
  timer.unref()
  forgetting.unref()

  function note(id: string, at: number, address?: string): void {
    if (address !== undefined) noteAddress(id, at, addressBlock(address))
    if (!isDue(noted.get(id), at, oncePer) || pending.size >= capacity) return
    noted.set(id, at)
    pending.set(id, { id, at })
  }

  function noteAddress(id: string, at: number, address: string): void {
    // No id of a key has a space in it.
    const name = `${id} ${address}`
    if (!isDue(notedAddresses.get(name), at, addressOncePer) || pending.size >= capacity) return
    notedAddresses.set(name, at)
    pending.set(name, { id, at, address })
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
      await options.store.touch([...batch.values()])
    } catch (error) {
      for (const [name, use] of batch) {
        if (pending.size < capacity && !pending.has(name)) pending.set(name, use)
      }
      options.onError(error)
    }
  }

  async function forget(): Promise<void> {
    await options.store.forgetAddresses(options.clock.now() - quarantineWindow)
  }

  return {
    note,
    flush,
    close: () => {
      clearInterval(timer)
      clearInterval(forgetting)
      return flush()
    },
  }
}

function isDue(last: number | undefined, at: number, once: number): boolean {
  return last === undefined || at - last >= once || at < last
}
