/** Finds events: by the index where it is there and stands on the log, and always by reading what it has not reached. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseRecord, type AuditRecord } from '../format/event.ts'
import { indexName, listSegments, segmentAt, type Segment } from '../format/segments.ts'
import { standsOn } from '../index/catch-up.ts'
import { IndexDatabase, type IndexPosition } from '../index/database.ts'
import { matches, type AuditFilter } from './filter.ts'
import { LineReader, scanLog, scanSegment } from './scan.ts'

export interface AuditQuery extends AuditFilter {
  /** The newest so many; default 100. */
  readonly limit?: number | undefined
}

export interface QueryResult {
  /** Oldest first. */
  readonly records: readonly AuditRecord[]
  readonly source: 'index' | 'scan'
  /** For a person: why the index was not used although it is there. */
  readonly notice?: string
}

/** Answers the same with and without an index: what the index says is checked against the line that it points to. */
export async function queryAudit(directory: string, query: AuditQuery): Promise<QueryResult> {
  const { limit = 100, ...filter } = query
  const path = join(directory, indexName)
  if (!existsSync(path)) return { records: await scanLog(directory, filter, limit), source: 'scan' }
  try {
    const records = await queryIndex(directory, path, filter, limit)
    return { records, source: 'index' }
  } catch (error) {
    const notice = `the index was not used: ${(error as Error).message}`
    return { records: await scanLog(directory, filter, limit), source: 'scan', notice }
  }
}

async function queryIndex(
  directory: string,
  path: string,
  filter: AuditFilter,
  limit: number,
): Promise<AuditRecord[]> {
  const index = IndexDatabase.openForReading(path)
  const lines = new LineReader()
  try {
    const position = index.position()
    if (position === undefined) throw new Error('it is empty')
    const segments = await listSegments(directory)
    const newer = await scanFrom(segments, position, filter, limit)
    const places = index.search(filter, position.seq, limit - newer.length)
    const older: AuditRecord[] = []
    for (const { seq, segment, offset, length } of places) {
      const text = await lines.read(segmentAt(directory, segment), offset, length)
      const record = text === undefined ? undefined : parseRecord(text)
      const isGone = text === undefined && (segments[0]?.firstSeq ?? 0) > segment
      if (isGone) continue
      if (record?.seq !== seq || !matches(filter, record)) {
        throw new Error(
          `it does not agree with the log about record ${seq}; build it anew with: audit reindex`,
        )
      }
      older.push(record)
    }
    return [...older.reverse(), ...newer]
  } finally {
    index.close()
    await lines.close()
  }
}

async function scanFrom(
  segments: readonly Segment[],
  position: IndexPosition,
  filter: AuditFilter,
  limit: number,
): Promise<AuditRecord[]> {
  const at = segments.findIndex((segment) => segment.firstSeq === position.segment)
  const segment = segments[at]
  if (segment === undefined || !standsOn(segment, position)) throw new Error('it is not of this log')
  const found: AuditRecord[] = []
  for (const each of segments.slice(at)) {
    found.push(...(await scanSegment(each, each === segment ? position.offset : 0, filter, limit)))
  }
  return found.slice(-limit)
}
