/** Finds events by reading the log itself, newest segments first. */
import { open, type FileHandle } from 'node:fs/promises'
import { parseRecord, type AuditRecord } from '../format/event.ts'
import { readFirstLink, readLines } from '../format/lines.ts'
import { listSegments, type Segment } from '../format/segments.ts'
import { matches, roughly, type AuditFilter } from './filter.ts'

/** Events are nearly in the order of time: each carries the time of its decision, and is queued when that is made. */
const disorder = 10 * 60_000

/** @returns the newest `limit` matching records, oldest first */
export async function scanLog(directory: string, filter: AuditFilter, limit: number): Promise<AuditRecord[]> {
  const segments = await listSegments(directory)
  let found: AuditRecord[] = []
  for (const [index, segment] of [...segments.entries()].toReversed()) {
    const next = segments[index + 1]
    if (found.length >= limit || (next !== undefined && (await beginsBefore(next, filter.since)))) break
    found = [...(await scanSegment(segment, 0, filter, limit - found.length)), ...found]
  }
  return found
}

/** @returns the newest `limit` matching records from a place on, oldest first */
export async function scanSegment(
  segment: Segment,
  from: number,
  filter: AuditFilter,
  limit: number,
): Promise<AuditRecord[]> {
  const found: AuditRecord[] = []
  const mayMatch = roughly(filter)
  for await (const lines of ifThere(readLines(segment.path, from))) {
    for (const line of lines) {
      const record =
        line.isComplete && mayMatch(line.bytes) ? parseRecord(line.bytes.toString('utf8')) : undefined
      if (record !== undefined && matches(filter, record)) found.push(record)
    }
    if (found.length > limit) found.splice(0, found.length - limit)
  }
  return found
}

async function beginsBefore(segment: Segment, since: number | undefined): Promise<boolean> {
  if (since === undefined) return false
  const first = await readFirstLink(segment.path)
  return first !== undefined && Date.parse(first.time) < since - disorder
}

/** A segment that retention drops while somebody reads is simply not there any more. */
export async function* ifThere<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  try {
    yield* source
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Reads single lines of many segments, each opened once. */
export class LineReader {
  readonly #handles = new Map<string, FileHandle>()

  /** @returns the bytes, or undefined when they are not there */
  async read(segment: Segment, offset: number, length: number): Promise<string | undefined> {
    try {
      const handle = this.#handles.get(segment.path) ?? (await open(segment.path, 'r'))
      this.#handles.set(segment.path, handle)
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, offset)
      return bytesRead === length ? buffer.toString('utf8') : undefined
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  async close(): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close()
  }
}
