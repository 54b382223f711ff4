import type { ApiKeyRecord, ApiKeyStore } from '../../ports/api-keys.ts'
import { noticeDays, type ExpiryNotices } from '../../ports/expiry-notices.ts'

/** What the two ports over keys share. */
export interface MemoryKeys {
  /** In order of creation. */
  readonly byId: Map<string, ApiKeyRecord>
  readonly idByDigest: Map<string, string>
  /** The nearest end that was told, in days. */
  readonly told: Map<string, number>
}

const day = 86_400_000

export function memoryApiKeys(keys: MemoryKeys, changed: () => void): ApiKeyStore {
  function add(record: ApiKeyRecord): void {
    keys.byId.set(record.id, record)
    for (const digest of record.digests) keys.idByDigest.set(digest, record.id)
  }

  function change(record: ApiKeyRecord, edits: Partial<ApiKeyRecord>): void {
    keys.byId.set(record.id, { ...record, ...edits })
  }

  return {
    findByDigest: (digest) => {
      const id = keys.idByDigest.get(digest)
      return id === undefined ? undefined : keys.byId.get(id)
    },
    findById: (id) => keys.byId.get(id),
    list: async ({ after, limit, owner }) => {
      const all = [...keys.byId.values()]
      const last = after === undefined ? -1 : all.findIndex(({ id }) => id === after)
      if (after !== undefined && last === -1) return []
      return all
        .slice(last + 1)
        .filter((record) => owner === undefined || record.owner === owner)
        .slice(0, limit)
    },
    hasImported: () => [...keys.byId.values()].some(({ origin }) => origin === 'imported'),
    insert: async (records) => {
      const clash = firstClash(keys, records)
      if (clash !== undefined) return { clash }
      for (const record of records) add(structuredClone(record))
      changed()
      return {}
    },
    rotate: async (id, successor, graceEndsAt) => {
      const old = keys.byId.get(id)
      if (old === undefined || old.revokedAt !== undefined || old.successor !== undefined) return false
      if (firstClash(keys, [successor]) !== undefined) throw new Error('the successor is there already')
      change(old, { successor: successor.id, graceEndsAt })
      add(structuredClone(successor))
      changed()
      return true
    },
    revoke: async (id, at, reason) => {
      const record = keys.byId.get(id)
      if (record === undefined) return false
      if (record.revokedAt === undefined) {
        change(record, { revokedAt: at, ...(reason === undefined ? {} : { revokedReason: reason }) })
        changed()
      }
      return true
    },
    touch: async (uses) => {
      for (const { id, at } of uses) {
        const record = keys.byId.get(id)
        if (record !== undefined && (record.lastUsedAt ?? -1) < at) change(record, { lastUsedAt: at })
      }
    },
  }
}

export function memoryExpiryNotices(keys: MemoryKeys): ExpiryNotices {
  return {
    claim: async ({ days, now, limit }) => {
      const earlier: readonly number[] = noticeDays.filter((each) => each > days)
      const due = [...keys.byId.values()].filter(({ id, expiresAt, revokedAt, successor }) => {
        const told = keys.told.get(id)
        return (
          expiresAt !== undefined &&
          expiresAt > now &&
          expiresAt <= now + days * day &&
          revokedAt === undefined &&
          successor === undefined &&
          (told === undefined || earlier.includes(told))
        )
      })
      const claimed = due.slice(0, limit)
      for (const { id } of claimed) keys.told.set(id, days)
      return claimed
    },
    release: async (ids) => {
      for (const id of ids) keys.told.delete(id)
    },
  }
}

function firstClash(keys: MemoryKeys, records: readonly ApiKeyRecord[]): string | undefined {
  const ids = new Set<string>()
  const digests = new Set<string>()
  for (const record of records) {
    if (keys.byId.has(record.id) || ids.has(record.id)) return record.id
    if (record.digests.some((each) => keys.idByDigest.has(each) || digests.has(each))) return record.id
    ids.add(record.id)
    for (const digest of record.digests) digests.add(digest)
  }
  return undefined
}
