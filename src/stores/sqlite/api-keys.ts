/** API keys and their expiry notices in SQLite. Every statement is prepared once. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ApiKeyRecord, ApiKeyStore } from '../../ports/api-keys.ts'
import { noticeDays, type ExpiryNotices, type NoticeDays } from '../../ports/expiry-notices.ts'
import type { Connection } from './connection.ts'
import { sqliteKeyAddresses } from './key-addresses.ts'
import { columns, digestBytes, recordOf, selectKey, valuesOf } from './key-rows.ts'

/** Rows written before requests get their turn. */
const chunk = 500
const day = 86_400_000

/** @param changed called after each commit that others must notice */
export function sqliteApiKeys(connection: Connection, changed: () => void): ApiKeyStore {
  const { reader, writer } = connection
  const byDigest = reader.prepare(
    `${selectKey} WHERE number = (SELECT key FROM api_key_digest WHERE digest = ?)`,
  )
  const byId = reader.prepare(`${selectKey} WHERE id = ?`)
  const page = reader.prepare(
    `${selectKey} WHERE number > coalesce((SELECT number FROM api_key WHERE id = :after), :from) ORDER BY number LIMIT :limit`,
  )
  const pageOfOwner = reader.prepare(
    `${selectKey} WHERE owner = :owner AND number > coalesce((SELECT number FROM api_key WHERE id = :after), :from)
     ORDER BY number LIMIT :limit`,
  )
  const anyImported = reader.prepare(
    `SELECT EXISTS (SELECT 1 FROM api_key WHERE origin = 'imported') AS "any"`,
  )
  const insertKey = writer.prepare(
    `INSERT INTO api_key (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  )
  const insertDigest = writer.prepare('INSERT INTO api_key_digest (digest, key) VALUES (?, ?)')
  const hasId = writer.prepare('SELECT 1 FROM api_key WHERE id = ?')
  const hasDigest = writer.prepare('SELECT 1 FROM api_key_digest WHERE digest = ?')
  const endOld = writer.prepare(
    'UPDATE api_key SET successor = ?, grace_ends_at = ? WHERE id = ? AND revoked_at IS NULL AND successor IS NULL',
  )
  const setRevoked = writer.prepare(
    'UPDATE api_key SET revoked_at = ?, revoked_reason = ? WHERE id = ? AND revoked_at IS NULL',
  )
  const setQuarantined = writer.prepare(
    `UPDATE api_key SET quarantined_at = ?, quarantined_reason = ?
     WHERE id = ? AND revoked_at IS NULL AND quarantined_at IS NULL`,
  )
  const setReleased = writer.prepare(
    `UPDATE api_key SET quarantined_at = NULL, quarantined_reason = NULL
     WHERE id = ? AND quarantined_at IS NOT NULL`,
  )
  const setUsed = writer.prepare(
    'UPDATE api_key SET last_used_at = :at WHERE id = :id AND coalesce(last_used_at, -1) < :at',
  )
  const addresses = sqliteKeyAddresses(connection)

  function insertAll(records: readonly ApiKeyRecord[]): void {
    const digests: { readonly digest: Buffer; readonly key: number | bigint }[] = []
    for (const record of records) {
      const { lastInsertRowid } = insertKey.run(...valuesOf(record))
      for (const digest of record.digests) digests.push({ digest: digestBytes(digest), key: lastInsertRowid })
    }
    // In the tree's own order: neighbours fall on the same pages.
    for (const { digest, key } of digests.sort((a, b) => Buffer.compare(a.digest, b.digest))) {
      insertDigest.run(digest, key)
    }
  }

  /** The database says only that something clashed; which record did is found by asking, off the fast path. */
  function firstClash(records: readonly ApiKeyRecord[]): string | undefined {
    const seen = new Set<string>()
    for (const { id, digests } of records) {
      const isTaken = hasId.get(id) !== undefined || seen.has(`id ${id}`)
      if (
        isTaken ||
        digests.some((each) => seen.has(each) || hasDigest.get(digestBytes(each)) !== undefined)
      ) {
        return id
      }
      seen.add(`id ${id}`)
      for (const digest of digests) seen.add(digest)
    }
    return undefined
  }

  return {
    findByDigest: (digest) => optionalRecord(byDigest.get(digestBytes(digest))),
    findById: (id) => optionalRecord(byId.get(id)),
    list: async ({ after, limit, owner }) => {
      // Without a last page begin before the first row; after an unknown key there is nothing.
      const from = after === undefined ? 0 : Number.MAX_SAFE_INTEGER
      const bounds = { after: after ?? null, from, limit }
      const rows = owner === undefined ? page.all(bounds) : pageOfOwner.all({ ...bounds, owner })
      return rows.map(recordOf)
    },
    hasImported: () => anyImported.get()?.['any'] === 1,
    insert: async (records) => {
      try {
        await connection.write(async () => {
          for (let at = 0; at < records.length; at += chunk) {
            if (at > 0) await nextTurn()
            insertAll(records.slice(at, at + chunk))
          }
        })
        // The pages of a large import would otherwise stay in memory for good.
        if (records.length > chunk) writer.exec('PRAGMA shrink_memory')
      } catch (error) {
        const clash = isConstraint(error) ? await connection.write(() => firstClash(records)) : undefined
        if (clash === undefined) throw error
        return { clash }
      }
      changed()
      return {}
    },
    rotate: async (id, successor, graceEndsAt) => {
      const isDone = await connection.write(() => {
        if (endOld.run(successor.id, graceEndsAt, id).changes === 0) return false
        insertAll([successor])
        return true
      })
      changed()
      return isDone
    },
    revoke: async (id, at, reason) => {
      const isThere = await connection.write(
        () => setRevoked.run(at, reason ?? null, id).changes > 0 || hasId.get(id) !== undefined,
      )
      changed()
      return isThere
    },
    quarantine: async (id, at, reason) => {
      const isThere = await connection.write(
        () => setQuarantined.run(at, reason ?? null, id).changes > 0 || hasId.get(id) !== undefined,
      )
      changed()
      return isThere
    },
    release: async (id) => {
      const isDone = await connection.write(() => setReleased.run(id).changes > 0)
      changed()
      return isDone
    },
    lastSeen: addresses.lastSeen,
    addressesOf: addresses.of,
    forgetAddresses: addresses.forget,
    touch: async (uses) => {
      for (let at = 0; at < uses.length; at += chunk) {
        // Losing a last-used time to a power cut harms nobody: no wait for the disk.
        await connection.write(
          () => {
            for (const use of uses.slice(at, at + chunk)) {
              setUsed.run({ id: use.id, at: use.at })
              addresses.note(use)
            }
          },
          { durable: false },
        )
      }
    },
  }
}

export function sqliteExpiryNotices(connection: Connection): ExpiryNotices {
  const due = Object.fromEntries(noticeDays.map((days) => [days, connection.reader.prepare(dueQuery(days))]))
  const mark = Object.fromEntries(
    noticeDays.map((days) => [
      days,
      connection.writer.prepare(
        `UPDATE api_key SET told_days = ${days} WHERE number IN (${dueQuery(days)}) RETURNING id`,
      ),
    ]),
  )
  const byId = connection.reader.prepare(`${selectKey} WHERE id = ?`)
  const unmark = connection.writer.prepare('UPDATE api_key SET told_days = 0 WHERE id = ?')
  return {
    claim: async ({ days, now, limit }) => {
      const bounds = { now, until: now + days * day, limit }
      // Nothing due is the rule: then no write lock is taken.
      if (due[days]!.get({ ...bounds, limit: 1 }) === undefined) return []
      const marked = await connection.write(() => mark[days]!.all(bounds))
      return marked.flatMap(({ id }) => optionalRecord(byId.get(String(id))) ?? [])
    },
    release: async (ids) => {
      await connection.write(() => {
        for (const id of ids) unmark.run(id)
      })
    },
  }
}

/** Each earlier state is one probe of the index, so that a million keys that were told already cost nothing. */
function dueQuery(days: NoticeDays): string {
  const earlier = [0, ...noticeDays.filter((each) => each > days)]
  return `SELECT number FROM api_key
    WHERE told_days IN (${earlier.join(', ')}) AND expires_at > :now AND expires_at <= :until
      AND expires_at IS NOT NULL AND revoked_at IS NULL AND successor IS NULL
    LIMIT :limit`
}

function optionalRecord(row: Parameters<typeof recordOf>[0] | undefined): ApiKeyRecord | undefined {
  return row === undefined ? undefined : recordOf(row)
}

/** @see https://www.sqlite.org/rescode.html#constraint */
function isConstraint(error: unknown): boolean {
  const { errcode } = error as { readonly errcode?: number }
  return errcode !== undefined && (errcode & 0xff) === 19
}
