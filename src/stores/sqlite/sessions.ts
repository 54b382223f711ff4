import type { SQLOutputValue } from 'node:sqlite'
import {
  logoutGrace,
  type SessionRecord,
  type SessionSelector,
  type SessionStore,
} from '../../ports/sessions.ts'
import type { Connection } from './connection.ts'

const selected = `number, digest, id, authenticator, provider, origin, issuer, sub, sid, subject, created_at, expires_at, idle,
  seen_at, content, revision`
const ends = 'min(expires_at, seen_at + idle)'

/** @param changed called after each commit that others must notice */
export function sqliteSessions(connection: Connection, changed: () => void): SessionStore {
  const { reader, writer } = connection
  const byDigest = reader.prepare(`SELECT ${selected} FROM session WHERE digest = ?`)
  const bySubject = reader.prepare(
    `SELECT ${selected} FROM session WHERE subject = :subject AND (:issuer IS NULL OR issuer = :issuer)
     ORDER BY created_at, number LIMIT :limit`,
  )
  const insert = writer.prepare(
    `INSERT INTO session (digest, id, authenticator, provider, origin, issuer, sub, sid, subject, created_at, expires_at,
       idle, seen_at, content, revision)
     VALUES (:digest, :id, :authenticator, :provider, :origin, :issuer, :sub, :sid, :subject, :createdAt, :expiresAt,
       :idle, :seenAt, :content, :revision)`,
  )
  const wasLoggedOut = writer.prepare(
    'SELECT 1 FROM session_logout WHERE issuer = ? AND sid = ? AND until > ?',
  )
  const logOut = writer.prepare(
    `INSERT INTO session_logout (issuer, sid, until) VALUES (?, ?, ?)
     ON CONFLICT (issuer, sid) DO UPDATE SET until = max(until, excluded.until)`,
  )
  const seen = writer.prepare('UPDATE session SET seen_at = :at WHERE digest = :digest AND seen_at < :at')
  const take = writer.prepare(
    `UPDATE session SET lease_holder = :holder, lease_until = :until
     WHERE digest = :digest AND (lease_until IS NULL OR lease_until <= :now OR lease_holder = :holder)
     RETURNING ${selected}`,
  )
  const leaseOf = writer.prepare('SELECT lease_holder, lease_until FROM session WHERE digest = ?')
  const renew = writer.prepare(
    'UPDATE session SET lease_until = :until WHERE digest = :digest AND lease_holder = :holder',
  )
  const release = writer.prepare(
    'UPDATE session SET lease_holder = NULL, lease_until = NULL WHERE digest = ? AND lease_holder = ?',
  )
  const replace = writer.prepare(
    `UPDATE session SET content = :content, revision = revision + 1, lease_holder = NULL, lease_until = NULL
     WHERE digest = :digest AND lease_holder = :holder`,
  )
  const dropDigest = writer.prepare(`DELETE FROM session WHERE digest = ? RETURNING ${selected}`)
  const dropId = writer.prepare(`DELETE FROM session WHERE id = ? RETURNING ${selected}`)
  const dropSid = writer.prepare(`DELETE FROM session WHERE issuer = ? AND sid = ? RETURNING ${selected}`)
  const dropSub = writer.prepare(`DELETE FROM session WHERE issuer = ? AND sub = ? RETURNING ${selected}`)
  const remember = writer.prepare(
    'INSERT INTO session_used (name, until) VALUES (?, ?) ON CONFLICT (name) DO NOTHING',
  )
  const anyEnded = reader.prepare(
    `SELECT EXISTS (SELECT 1 FROM session WHERE ${ends} <= :now)
       OR EXISTS (SELECT 1 FROM session_used WHERE until <= :now)
       OR EXISTS (SELECT 1 FROM session_logout WHERE until <= :now) AS any_ended`,
  )
  const dropEnded = writer.prepare(
    `DELETE FROM session WHERE number IN (SELECT number FROM session WHERE ${ends} <= :now LIMIT :limit)
     RETURNING ${selected}`,
  )
  const forgetUsed = writer.prepare('DELETE FROM session_used WHERE until <= ?')
  const forgetLogouts = writer.prepare('DELETE FROM session_logout WHERE until <= ?')

  function drop(selector: SessionSelector): SessionRecord[] {
    if ('digest' in selector) return dropDigest.all(bytesOf(selector.digest)).map(recordOf)
    if ('id' in selector) return dropId.all(selector.id).map(recordOf)
    return selector.issuers.flatMap((issuer) =>
      ('sid' in selector ? dropSid.all(issuer, selector.sid) : dropSub.all(issuer, selector.sub)).map(
        recordOf,
      ),
    )
  }

  /** Runs `work` in one transaction; others are told when it ended something. */
  async function ending<T extends readonly SessionRecord[] | undefined>(work: () => T): Promise<T> {
    const ended = await connection.write(work)
    if (ended !== undefined && ended.length > 0) changed()
    return ended
  }

  return {
    find: (digest) => {
      const row = byDigest.get(bytesOf(digest))
      return row === undefined ? undefined : recordOf(row)
    },
    create: (record, { replaces = [], now }) =>
      ending((): readonly SessionRecord[] | undefined => {
        const { issuer, sid } = record
        if (sid !== undefined && wasLoggedOut.get(issuer, sid, now) !== undefined) return undefined
        const ended = replaces.flatMap((digest) => drop({ digest }))
        insert.run({ ...record, digest: bytesOf(record.digest), sid: sid ?? null })
        return ended
      }),
    touch: async (uses) => {
      await connection.write(
        () => {
          for (const { digest, at } of uses) seen.run({ digest: bytesOf(digest), at })
        },
        { durable: false },
      )
    },
    acquireLease: (digest, holder, now, until) =>
      connection.write(() => {
        const row = take.get({ digest: bytesOf(digest), holder, now, until })
        if (row !== undefined) return { outcome: 'taken', record: recordOf(row) }
        const lease = leaseOf.get(bytesOf(digest))
        return lease === undefined
          ? { outcome: 'gone' }
          : { outcome: 'held', until: Number(lease['lease_until']) }
      }),
    renewLease: (digest, holder, until) =>
      connection.write(() => renew.run({ digest: bytesOf(digest), holder, until }).changes === 1),
    releaseLease: async (digest, holder) => {
      await connection.write(() => release.run(bytesOf(digest), holder))
    },
    update: async (digest, holder, content) => {
      const outcome = await connection.write(() => {
        if (replace.run({ digest: bytesOf(digest), holder, content }).changes === 1) return 'updated'
        return leaseOf.get(bytesOf(digest)) === undefined ? 'gone' : 'lost'
      })
      if (outcome === 'updated') changed()
      return outcome
    },
    end: (selector) => ending(() => drop(selector)),
    endByLogoutToken: ({ issuers, sid, sub, name, until }, now) =>
      ending((): readonly SessionRecord[] | undefined => {
        if (remember.run(name, until).changes === 0) return undefined
        if (sid === undefined) return drop({ issuers, sub: sub ?? '' })
        for (const issuer of issuers) logOut.run(issuer, sid, now + logoutGrace)
        return drop({ issuers, sid })
      }),
    use: (name, until) => connection.write(() => remember.run(name, until).changes === 1),
    list: async ({ issuer, subject, limit }) =>
      bySubject.all({ subject, issuer: issuer ?? null, limit }).map(recordOf),
    prune: async (now, limit) => {
      if (anyEnded.get({ now })?.['any_ended'] !== 1) return []
      return ending((): readonly SessionRecord[] => {
        forgetUsed.run(now)
        forgetLogouts.run(now)
        return dropEnded.all({ now, limit }).map(recordOf)
      })
    },
  }
}

function bytesOf(digest: string): Buffer {
  return Buffer.from(digest, 'hex')
}

function recordOf(row: Record<string, SQLOutputValue>): SessionRecord {
  return {
    digest: Buffer.from(row['digest'] as Uint8Array).toString('hex'),
    id: String(row['id']),
    authenticator: String(row['authenticator']),
    provider: String(row['provider']),
    origin: String(row['origin']),
    issuer: String(row['issuer']),
    sub: String(row['sub']),
    ...(row['sid'] === null ? {} : { sid: String(row['sid']) }),
    subject: String(row['subject']),
    createdAt: Number(row['created_at']),
    expiresAt: Number(row['expires_at']),
    idle: Number(row['idle']),
    seenAt: Number(row['seen_at']),
    content: row['content'] as Uint8Array,
    revision: Number(row['revision']),
  }
}
