// Where oidc-provider keeps its codes, sessions and grants: this process, bounded, gone when it ends.
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'

interface Entry {
  readonly payload: AdapterPayload
  readonly expiresAt: number
}

// Far above what a person with a browser or a test makes; a loop that signs in for ever loses its oldest sessions.
const maximumEntries = 10_000

/** One store for all kinds of records, which outlives a rebuilt provider. */
export function createMemoryAdapter(now: () => number): AdapterFactory {
  const entries = new Map<string, Entry>()

  const read = (key: string): AdapterPayload | undefined => {
    const entry = entries.get(key)
    if (entry === undefined) return undefined
    if (entry.expiresAt > now()) return entry.payload
    entries.delete(key)
    return undefined
  }

  const findBy = (
    kind: string,
    matches: (payload: AdapterPayload) => boolean,
  ): AdapterPayload | undefined => {
    for (const key of entries.keys()) {
      if (!key.startsWith(`${kind}:`)) continue
      const payload = read(key)
      if (payload !== undefined && matches(payload)) return payload
    }
    return undefined
  }

  return (kind: string): Adapter => ({
    async upsert(id, payload, expiresIn) {
      const key = `${kind}:${id}`
      entries.delete(key)
      entries.set(key, {
        payload,
        expiresAt: expiresIn === undefined ? Number.POSITIVE_INFINITY : now() + expiresIn * 1000,
      })
      for (const oldest of entries.keys()) {
        if (entries.size <= maximumEntries) break
        entries.delete(oldest)
      }
    },
    async find(id) {
      return read(`${kind}:${id}`)
    },
    async findByUid(uid) {
      return findBy(kind, (payload) => payload.uid === uid)
    },
    async findByUserCode(userCode) {
      return findBy(kind, (payload) => payload.userCode === userCode)
    },
    async consume(id) {
      const payload = read(`${kind}:${id}`)
      if (payload !== undefined) payload['consumed'] = Math.floor(now() / 1000)
    },
    async destroy(id) {
      entries.delete(`${kind}:${id}`)
    },
    async revokeByGrantId(grantId) {
      for (const [key, { payload }] of entries) if (payload.grantId === grantId) entries.delete(key)
    },
  })
}
