/** Where keys were used from: what a quarantine goes by. Bounded for each key, and forgotten with time. */
import { mostAddresses, type ApiKeyStore, type KeyUse, type SeenAddress } from '../../ports/api-keys.ts'
import type { Connection } from './connection.ts'

export interface KeyAddresses {
  /** Inside a write. */
  note(use: KeyUse): void
  readonly lastSeen: ApiKeyStore['lastSeen']
  readonly of: ApiKeyStore['addressesOf']
  readonly forget: ApiKeyStore['forgetAddresses']
}

const numberOf = '(SELECT number FROM api_key WHERE id = :id)'

export function sqliteKeyAddresses(connection: Connection): KeyAddresses {
  const { reader, writer } = connection
  const upsert = writer.prepare(
    `INSERT INTO api_key_address (key, address, seen_at)
     SELECT number, :address, :at FROM api_key WHERE id = :id
     ON CONFLICT (key, address) DO UPDATE SET seen_at = max(seen_at, excluded.seen_at)`,
  )
  const count = writer.prepare(`SELECT count(*) AS many FROM api_key_address WHERE key = ${numberOf}`)
  const dropOldest = writer.prepare(
    `DELETE FROM api_key_address WHERE key = ${numberOf} AND address IN
     (SELECT address FROM api_key_address WHERE key = ${numberOf} ORDER BY seen_at DESC, address LIMIT -1 OFFSET ${mostAddresses})`,
  )
  const seenAt = reader.prepare(
    `SELECT seen_at FROM api_key_address WHERE key = ${numberOf} AND address = :address`,
  )
  const all = reader.prepare(
    `SELECT address, seen_at FROM api_key_address WHERE key = ${numberOf} ORDER BY seen_at DESC, address`,
  )
  const anyOld = reader.prepare('SELECT 1 FROM api_key_address WHERE seen_at < ? LIMIT 1')
  const dropOld = writer.prepare('DELETE FROM api_key_address WHERE seen_at < ?')
  return {
    note: ({ id, at, address }) => {
      if (address === undefined) return
      upsert.run({ id, address, at })
      if (Number(count.get({ id })?.['many']) > mostAddresses) dropOldest.run({ id })
    },
    lastSeen: (id, address) => {
      const row = seenAt.get({ id, address })
      return row === undefined ? undefined : Number(row['seen_at'])
    },
    of: async (id) =>
      all
        .all({ id })
        .map((row): SeenAddress => ({ address: String(row['address']), seenAt: Number(row['seen_at']) })),
    forget: async (before) => {
      // Nothing to forget is the rule: then no write lock is taken.
      if (anyOld.get(before) === undefined) return
      await connection.write(() => dropOld.run(before), { durable: false })
    },
  }
}
