import { mostAddresses, type ApiKeyRecord, type ApiKeyStore } from '../../ports/api-keys.ts'
import { noticeDays, type ExpiryNotices } from '../../ports/expiry-notices.ts'

/** What the two ports over keys share. */
export interface MemoryKeys {
  /** In order of creation. */
  readonly byId: Map<string, ApiKeyRecord>
  readonly idByDigest: Map<string, string>
  /** The nearest end that was told, in days. */
  readonly told: Map<string, number>
  /** By id: address → when it was seen last. */
  readonly seen: Map<string, Map<string, number>>
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

  function note(id: string, address: string, at: number): void {
    const seen = keys.seen.get(id) ?? new Map<string, number>()
    keys.seen.set(id, seen)
    seen.set(address, Math.max(seen.get(address) ?? at, at))
    if (seen.size <= mostAddresses) return
    const [oldest] = [...seen].reduce((one, other) => (other[1] < one[1] ? other : one))
    seen.delete(oldest)
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
    quarantine: async (id, at, reason) => {
      const record = keys.byId.get(id)
      if (record === undefined) return false
      if (record.revokedAt === undefined && record.quarantinedAt === undefined) {
        change(record, { quarantinedAt: at, ...(reason === undefined ? {} : { quarantinedReason: reason }) })
        changed()
      }
      return true
    },
    release: async (id) => {
      const record = keys.byId.get(id)
      if (record?.quarantinedAt === undefined) return false
      const { quarantinedAt: _at, quarantinedReason: _reason, ...free } = record
      keys.byId.set(id, free)
      changed()
      return true
    },
    touch: async (uses) => {
      for (const { id, at, address } of uses) {
        const record = keys.byId.get(id)
        if (record === undefined) continue
        if ((record.lastUsedAt ?? -1) < at) change(record, { lastUsedAt: at })
        if (address !== undefined) note(id, address, at)
      }
    },
    lastSeen: (id, address) => keys.seen.get(id)?.get(address),
    addressesOf: async (id) =>
      [...(keys.seen.get(id) ?? [])]
        .map(([address, seenAt]) => ({ address, seenAt }))
        .sort((a, b) => b.seenAt - a.seenAt),
    forgetAddresses: async (before) => {
      for (const seen of keys.seen.values()) {
        for (const [address, at] of seen) if (at < before) seen.delete(address)
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
