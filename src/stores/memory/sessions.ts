import type { SessionRecord, SessionSelector, SessionStore } from '../../ports/sessions.ts'
import { logoutGrace } from '../../ports/sessions.ts'

interface Held {
  readonly record: SessionRecord
  readonly holder?: string
  readonly until?: number
}

/** @param changed called after a session ended or its content changed */
export function memorySessions(changed: () => void): SessionStore {
  const sessions = new Map<string, Held>()
  /** What is used once, until when. */
  const used = new Map<string, number>()
  /** Provider sessions that were just logged out. */
  const loggedOut = new Map<string, number>()

  function remove(digests: readonly string[]): SessionRecord[] {
    const ended = digests.flatMap((digest) => {
      const held = sessions.get(digest)
      return held !== undefined && sessions.delete(digest) ? [held.record] : []
    })
    if (ended.length > 0) changed()
    return ended
  }

  function endNamed(selector: SessionSelector): SessionRecord[] {
    return remove([...sessions.values()].filter(({ record }) => isMeant(record, selector)).map(digestOf))
  }

  return {
    find: (digest) => sessions.get(digest)?.record,
    create: async (record, { replaces = [], now }) => {
      const until = record.sid === undefined ? undefined : loggedOut.get(nameOf(record.issuer, record.sid))
      if (until !== undefined && until > now) return undefined
      const ended = remove(replaces)
      sessions.set(record.digest, { record: { ...record } })
      return ended
    },
    touch: async (uses) => {
      for (const { digest, at } of uses) {
        const held = sessions.get(digest)
        if (held !== undefined && held.record.seenAt < at)
          sessions.set(digest, { ...held, record: { ...held.record, seenAt: at } })
      }
    },
    acquireLease: async (digest, holder, now, until) => {
      const held = sessions.get(digest)
      if (held === undefined) return { outcome: 'gone' }
      if (held.until !== undefined && held.until > now && held.holder !== holder)
        return { outcome: 'held', until: held.until }
      sessions.set(digest, { record: held.record, holder, until })
      return { outcome: 'taken', record: held.record }
    },
    renewLease: async (digest, holder, until) => {
      const held = sessions.get(digest)
      if (held?.holder !== holder) return false
      sessions.set(digest, { ...held, until })
      return true
    },
    releaseLease: async (digest, holder) => {
      const held = sessions.get(digest)
      if (held?.holder === holder) sessions.set(digest, { record: held.record })
    },
    update: async (digest, holder, content) => {
      const held = sessions.get(digest)
      if (held === undefined) return 'gone'
      if (held.holder !== holder) return 'lost'
      const revision = held.record.revision + 1
      sessions.set(digest, { record: { ...held.record, content: new Uint8Array(content), revision } })
      changed()
      return 'updated'
    },
    end: async (selector) => endNamed(selector),
    endByLogoutToken: async ({ issuers, sid, sub, name, until }, now) => {
      if (used.has(name)) return undefined
      used.set(name, until)
      if (sid !== undefined) {
        for (const issuer of issuers) loggedOut.set(nameOf(issuer, sid), now + logoutGrace)
        return endNamed({ issuers, sid })
      }
      return endNamed({ issuers, sub: sub ?? '' })
    },
    use: async (name, until) => {
      if (used.has(name)) return false
      used.set(name, until)
      return true
    },
    list: async ({ issuer, subject, limit }) =>
      [...sessions.values()]
        .map(({ record }) => record)
        .filter((each) => each.subject === subject && (issuer === undefined || each.issuer === issuer))
        .toSorted((a, b) => a.createdAt - b.createdAt)
        .slice(0, limit),
    prune: async (now, limit) => {
      for (const memory of [used, loggedOut]) {
        for (const [name, until] of memory) if (until <= now) memory.delete(name)
      }
      const ended = [...sessions.values()].filter(({ record }) => endOf(record) <= now).slice(0, limit)
      return remove(ended.map(digestOf))
    },
  }
}

function digestOf({ record }: Held): string {
  return record.digest
}

function endOf({ expiresAt, seenAt, idle }: SessionRecord): number {
  return Math.min(expiresAt, seenAt + idle)
}

function nameOf(issuer: string, sid: string): string {
  return JSON.stringify([issuer, sid])
}

function isMeant(record: SessionRecord, selector: SessionSelector): boolean {
  if ('digest' in selector) return record.digest === selector.digest
  if ('id' in selector) return record.id === selector.id
  if (!selector.issuers.includes(record.issuer)) return false
  return 'sid' in selector ? record.sid === selector.sid : record.sub === selector.sub
}
