import type { AuditEntry } from '../../ports/audit-log.ts'
import type { Clock } from '../../ports/clock.ts'
import type { StoreChangeFeed } from '../../ports/api-keys.ts'
import type { Facts } from '../../ports/facts.ts'
import type { Outbox } from '../../ports/outbox.ts'
import type { Store } from '../../ports/store.ts'
import { memoryApiKeys, memoryExpiryNotices, type MemoryKeys } from './api-keys.ts'
import { memoryRevocations } from './revocations.ts'
import { memorySessions } from './sessions.ts'

/** A store that ends with the process: for tests, and where nothing need outlive a restart. */
export function openMemoryStore(clock: Clock): Store {
  const changes = memoryChanges(clock)
  const keys: MemoryKeys = { byId: new Map(), idByDigest: new Map(), told: new Map(), seen: new Map() }
  return {
    apiKeys: memoryApiKeys(keys, () => changes.move('keys')),
    expiryNotices: memoryExpiryNotices(keys),
    revocations: memoryRevocations(() => changes.move('revocations')),
    sessions: memorySessions(() => changes.move('sessions')),
    changes,
    outbox: memoryOutbox(),
    meta: memoryMeta(),
    close: async () => undefined,
  }
}

interface MemoryChanges extends StoreChangeFeed {
  move(what: 'keys' | 'revocations' | 'sessions'): void
}

function memoryChanges(clock: Clock): MemoryChanges {
  const listeners = new Set<() => void>()
  const feed = {
    version: 0,
    revocations: 0,
    sessions: 0,
    /** Nobody else can change it: always current. */
    get checkedAt(): number {
      return clock.now()
    },
    check: () => undefined,
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    move: (what: 'keys' | 'revocations' | 'sessions') => {
      if (what === 'sessions') feed.sessions += 1
      else feed.version += 1
      if (what === 'revocations') feed.revocations += 1
      for (const listener of listeners) listener()
    },
  }
  return feed
}

function memoryOutbox(): Outbox {
  const waiting: AuditEntry[] = []
  return {
    put: async (entries) => {
      waiting.push(...structuredClone(entries))
    },
    drain: async (limit, deliver) => {
      const held = waiting.splice(0, limit)
      for (const [at, entry] of held.entries()) {
        try {
          await deliver(entry)
        } catch (error) {
          waiting.unshift(...held.slice(at))
          throw error
        }
      }
      return held.length
    },
  }
}

function memoryMeta(): Facts {
  const values = new Map<string, string>()
  return {
    get: async (name) => values.get(name),
    set: async (name, value) => {
      values.set(name, value)
    },
    setIfAbsent: async (name, value) => {
      if (!values.has(name)) values.set(name, value)
      return values.get(name) ?? value
    },
  }
}
