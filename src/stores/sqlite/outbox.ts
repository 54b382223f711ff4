import type { AuditEntry } from '../../ports/audit-log.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Outbox } from '../../ports/outbox.ts'
import type { Connection } from './connection.ts'

/** A process that died with entries in hand gives them up after this long, in milliseconds. */
const holdFor = 60_000

export function sqliteOutbox(connection: Connection, clock: Clock): Outbox {
  const { reader, writer } = connection
  const insert = writer.prepare('INSERT INTO outbox (entry) VALUES (?)')
  const anyWaiting = reader.prepare('SELECT 1 FROM outbox WHERE held_until <= ? LIMIT 1')
  const hold = writer.prepare(
    `UPDATE outbox SET held_until = :until
     WHERE number IN (SELECT number FROM outbox WHERE held_until <= :now ORDER BY number LIMIT :limit)
     RETURNING number, entry`,
  )
  const forget = writer.prepare('DELETE FROM outbox WHERE number = ?')
  const letGo = writer.prepare('UPDATE outbox SET held_until = 0 WHERE number = ?')

  function settle(delivered: readonly number[], left: readonly number[]): Promise<void> {
    return connection.write(() => {
      for (const number of delivered) forget.run(number)
      for (const number of left) letGo.run(number)
    })
  }

  return {
    put: async (entries) => {
      await connection.write(() => {
        for (const entry of entries) insert.run(JSON.stringify(entry))
      })
    },
    drain: async (limit, deliver) => {
      const now = clock.now()
      if (anyWaiting.get(now) === undefined) return 0
      const held = await connection.write(() => hold.all({ until: now + holdFor, now, limit }))
      const waiting = held
        .map((row) => ({ number: Number(row['number']), entry: String(row['entry']) }))
        .sort((a, b) => a.number - b.number)
      const numbers = waiting.map(({ number }) => number)
      for (const [at, { entry }] of waiting.entries()) {
        try {
          await deliver(JSON.parse(entry) as AuditEntry)
        } catch (error) {
          await settle(numbers.slice(0, at), numbers.slice(at))
          throw error
        }
      }
      await settle(numbers, [])
      return numbers.length
    },
  }
}
