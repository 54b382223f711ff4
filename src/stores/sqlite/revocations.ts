import type { SQLOutputValue } from 'node:sqlite'
import type { Revocation, RevocationKind, RevocationStore } from '../../ports/revocations.ts'
import type { Connection } from './connection.ts'
import { counters } from './schema.ts'

const selected = 'SELECT kind, issuer, value, at, permanent, expires_at, reason, created_at FROM revocation'

/** @param changed called after each commit that others must notice */
export function sqliteRevocations(connection: Connection, changed: () => void): RevocationStore {
  const { reader, writer } = connection
  const all = reader.prepare(`${selected} ORDER BY created_at, sequence`)
  const newer = reader.prepare(`${selected} WHERE sequence > ? ORDER BY sequence`)
  const cursor = reader.prepare('SELECT value FROM change_count WHERE id = ?')
  const nextSequence = writer.prepare(
    'UPDATE change_count SET value = value + 1 WHERE id = ? RETURNING value',
  )
  const upsert = writer.prepare(
    `INSERT INTO revocation (kind, issuer, value, at, permanent, expires_at, reason, created_at, sequence)
     VALUES (:kind, :issuer, :value, :at, :permanent, :expiresAt, :reason, :createdAt, :sequence)
     ON CONFLICT (kind, issuer, value) DO UPDATE SET
       at = max(at, excluded.at),
       permanent = max(permanent, excluded.permanent),
       expires_at = CASE WHEN expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL
         ELSE max(expires_at, excluded.expires_at) END,
       reason = coalesce(excluded.reason, reason),
       sequence = excluded.sequence`,
  )
  const bound = writer.prepare(
    `UPDATE revocation SET at = :now, permanent = 0, sequence = :sequence
     WHERE kind = :kind AND issuer = :issuer AND value = :value AND (permanent = 1 OR at > :now)`,
  )
  const anyEnded = reader.prepare(
    'SELECT 1 FROM revocation WHERE expires_at IS NOT NULL AND expires_at <= ? LIMIT 1',
  )
  const dropEnded = writer.prepare('DELETE FROM revocation WHERE expires_at IS NOT NULL AND expires_at <= ?')
  return {
    add: async (revocation) => {
      await connection.write(() => {
        const sequence = Number(nextSequence.get(counters.revocations)?.['value'])
        upsert.run({
          kind: revocation.kind,
          issuer: revocation.issuer ?? '',
          value: revocation.value ?? '',
          at: revocation.at,
          permanent: revocation.permanent ? 1 : 0,
          expiresAt: revocation.expiresAt ?? null,
          reason: revocation.reason ?? null,
          createdAt: revocation.createdAt,
          sequence,
        })
      })
      changed()
    },
    bound: async ({ kind, issuer = '', value = '' }, now) => {
      const isDone = await connection.write(() => {
        const sequence = Number(nextSequence.get(counters.revocations)?.['value'])
        return bound.run({ kind, issuer, value, now, sequence }).changes > 0
      })
      changed()
      return isDone
    },
    list: async () => all.all().map(revocationOf),
    since: async (after) => {
      // The counter first: what is written in between is read now and once more later, never missed.
      const next = Number(cursor.get(counters.revocations)?.['value'])
      return { revocations: newer.all(after).map(revocationOf), cursor: next }
    },
    prune: async (now) => {
      if (anyEnded.get(now) === undefined) return
      await connection.write(() => dropEnded.run(now))
      changed()
    },
  }
}

function revocationOf(row: Record<string, SQLOutputValue>): Revocation {
  return {
    kind: row['kind'] as RevocationKind,
    ...(row['issuer'] === '' ? {} : { issuer: String(row['issuer']) }),
    ...(row['value'] === '' ? {} : { value: String(row['value']) }),
    at: Number(row['at']),
    permanent: row['permanent'] === 1,
    ...(row['expires_at'] === null ? {} : { expiresAt: Number(row['expires_at']) }),
    ...(row['reason'] === null ? {} : { reason: String(row['reason']) }),
    createdAt: Number(row['created_at']),
  }
}
