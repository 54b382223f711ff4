/**
 * The index: where in the log each event lies, by what people look for. Holds nothing that the log does not; deleting
 * the file costs a rebuild and no truth. SQLite, in a file of its own beside the segments (`audit-index.db`).
 */
import { closeSync, openSync, rmSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { AuditFilter } from '../read/filter.ts'

/** A change of the tables: an index of another version is built anew. */
const version = 1

const schema = `
  CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    time INTEGER NOT NULL,
    type TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    code TEXT,
    subject TEXT,
    route TEXT,
    request_id TEXT,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    length INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX event_time ON event (time);
  CREATE INDEX event_subject ON event (subject, seq) WHERE subject IS NOT NULL;
  CREATE INDEX event_request ON event (request_id) WHERE request_id IS NOT NULL;
  CREATE INDEX event_reason ON event (reason, seq) WHERE reason IS NOT NULL;
  CREATE INDEX event_code ON event (code, seq) WHERE code IS NOT NULL;
  CREATE INDEX event_route ON event (route, seq) WHERE route IS NOT NULL;
  CREATE TABLE position (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL
  ) STRICT;
  PRAGMA user_version = ${version};
`

/** How far the index has read: the end of the line of record `seq`. */
export interface IndexPosition {
  /** The segment's first seq. */
  readonly segment: number
  readonly offset: number
  readonly seq: number
  /** Of that record; empty at the beginning of a segment. */
  readonly hash: string
}

export interface IndexedEvent {
  readonly seq: number
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly type: string
  readonly outcome: string
  readonly reason: string | undefined
  readonly code: string | undefined
  readonly subject: string | undefined
  readonly route: string | undefined
  readonly requestId: string | undefined
  readonly place: LinePlace
}

export interface LinePlace {
  readonly segment: number
  readonly offset: number
  readonly length: number
}

export class IndexDatabase {
  readonly #database: DatabaseSync
  #insert: StatementSync | undefined

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** Opens for writing. What is no index of this version is deleted and begun anew. */
  static open(path: string): IndexDatabase {
    try {
      return IndexDatabase.#openWritable(path)
    } catch (error) {
      if (!isWorthless(error)) throw error
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
      return IndexDatabase.#openWritable(path)
    }
  }

  /** @throws Error when there is none, or it is of another version */
  static openForReading(path: string): IndexDatabase {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 1000 })
    if (versionOf(database) === version) return new IndexDatabase(database)
    database.close()
    throw new Error(`${path}: not an index of this version`)
  }

  static #openWritable(path: string): IndexDatabase {
    closeSync(openSync(path, 'a', 0o600))
    const database = new DatabaseSync(path, { timeout: 10_000 })
    try {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
      const found = versionOf(database)
      if (found === 0) database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`)
      else if (found !== version) throw new OtherVersionError('an index of another version')
      return new IndexDatabase(database)
    } catch (error) {
      database.close()
      throw error
    }
  }

  /** One transaction, which no other writer interleaves with. */
  atomically<T>(task: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const result = task()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }

  position(): IndexPosition | undefined {
    const row = this.#database.prepare('SELECT segment, offset, seq, hash FROM position').get()
    return row as unknown as IndexPosition | undefined
  }

  move({ segment, offset, seq, hash }: IndexPosition): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO position (only, segment, offset, seq, hash) VALUES (1, ?, ?, ?, ?)')
      .run(segment, offset, seq, hash)
  }

  insert(event: IndexedEvent): void {
    this.#insert ??= this.#database.prepare(
      `INSERT OR REPLACE INTO event
        (seq, time, type, outcome, reason, code, subject, route, request_id, segment, offset, length)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    const { segment, offset, length } = event.place
    this.#insert.run(
      event.seq,
      event.time,
      event.type,
      event.outcome,
      event.reason ?? null,
      event.code ?? null,
      event.subject ?? null,
      event.route ?? null,
      event.requestId ?? null,
      segment,
      offset,
      length,
    )
  }

  /** Forgets the events of segments that begin before or from a seq. */
  forget(segments: { readonly before: number } | { readonly from: number }): void {
    if ('before' in segments) this.#database.prepare('DELETE FROM event WHERE seq < ?').run(segments.before)
    else this.#database.prepare('DELETE FROM event WHERE segment >= ?').run(segments.from)
  }

  clear(): void {
    this.#database.exec('DELETE FROM event; DELETE FROM position')
  }

  /** @returns where the newest matching events up to a seq lie, newest first */
  search(filter: AuditFilter, upTo: number, limit: number): (LinePlace & { readonly seq: number })[] {
    const { where, values } = conditions(filter)
    const rows = this.#database
      .prepare(`SELECT seq, segment, offset, length FROM event WHERE ${where} ORDER BY seq DESC LIMIT ?`)
      .all(...values, upTo, limit)
    return rows as unknown as (LinePlace & { readonly seq: number })[]
  }

  count(): number {
    return Number(this.#database.prepare('SELECT count(*) AS events FROM event').get()?.['events'] ?? 0)
  }

  close(): void {
    this.#database.close()
  }
}

/** Values are always parameters; the texts are only these. */
function conditions(filter: AuditFilter): { readonly where: string; readonly values: SQLInputValue[] } {
  const parts: readonly (readonly [string, readonly (SQLInputValue | undefined)[]])[] = [
    ['time >= ?', [filter.since]],
    ['time < ?', [filter.until]],
    ['subject = ?', [filter.subject]],
    ['route = ?', [filter.route]],
    ['outcome = ?', [filter.outcome]],
    ['request_id = ?', [filter.requestId]],
    ['(reason = ? OR code = ?)', [filter.reason, filter.reason]],
  ]
  const used = parts.filter(([, values]) => values[0] !== undefined)
  return {
    where: [...used.map(([text]) => text), 'seq <= ?'].join(' AND '),
    values: used.flatMap(([, values]) => values).filter((value) => value !== undefined),
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
}

class OtherVersionError extends Error {}

/** SQLITE_CORRUPT and SQLITE_NOTADB: there is nothing to keep. Any other failure (busy, no permission, full disk) deletes nothing. */
function isWorthless(error: unknown): boolean {
  const { errcode } = error as { errcode?: number }
  return error instanceof OtherVersionError || (errcode !== undefined && [11, 26].includes(errcode & 0xff))
}
