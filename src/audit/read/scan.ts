/** Finds events by reading the log itself, newest segments first. */
import { parseRecord, type AuditRecord } from '../format/event.ts'
import { readFirstLink, readLines } from '../format/lines.ts'
import { listSegments, type Segment } from '../format/segments.ts'
import { matches, roughly, type AuditFilter } from './filter.ts'

/** Events are nearly in the order of time: each carries the time of its decision, and is queued when that is made. */
const disorder = 10 * 60_000

/** @returns the parts of a segment that may hold what matches, newest first */
export type Choose = (segment: Segment) => Promise<readonly Span[]>

const everything: Choose = () => Promise.resolve([{ from: 0, to: Infinity }])

/** @returns the newest `limit` matching records, oldest first */
export async function scanLog(
  directory: string,
  filter: AuditFilter,
  limit: number,
  choose: Choose = everything,
): Promise<AuditRecord[]> {
  const segments = await listSegments(directory)
  let found: AuditRecord[] = []
  for (const [index, segment] of [...segments.entries()].toReversed()) {
    const next = segments[index + 1]
    if (found.length >= limit || (next !== undefined && (await beginsBefore(next, filter.since)))) break
    for (const span of await choose(segment)) {
      if (found.length >= limit) break
      found = [...(await scanSegment(segment, span, filter, limit - found.length)), ...found]
    }
  }
  return found
}

/** A part of a segment: whole lines, or up to its end. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** @returns the newest `limit` matching records of a part, oldest first */
export async function scanSegment(
  segment: Segment,
  { from, to }: Span,
  filter: AuditFilter,
  limit: number,
): Promise<AuditRecord[]> {
  const found: AuditRecord[] = []
  const mayMatch = roughly(filter)
  for await (const lines of ifThere(readLines(segment.path, from, to))) {
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
