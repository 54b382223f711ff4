/** Reads what the log gained into the index. Everything comes from the segments, so the same code follows and rebuilds. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { parseRecord, type AuditRecord } from '../format/event.ts'
import { LineSplitter, type Line } from '../format/lines.ts'
import { publicCodeOf } from '../read/filter.ts'
import { listSegmentsSync, type Segment } from '../format/segments.ts'
import type { IndexDatabase, IndexedEvent, IndexPosition } from './database.ts'

const chunkBytes = 1024 * 1024

/**
 * Reads everything that the index lacks. Other writers may do the same meanwhile: each step is one transaction that
 * begins at the position it finds.
 * @returns how many events were added
 */
export function catchUp(directory: string, index: IndexDatabase): number {
  let added = 0
  for (;;) {
    const step = index.atomically(() => takeStep(listSegmentsSync(directory), index))
    if (step === undefined) return added
    added += step
  }
}

/** @returns undefined when nothing is left to read */
function takeStep(segments: readonly Segment[], index: IndexDatabase): number | undefined {
  const [oldest] = segments
  if (oldest === undefined) return undefined
  const position = validPosition(segments, index)
  const at = segments.findIndex((segment) => segment.firstSeq === position.segment)
  const segment = segments[at] ?? oldest
  const read = readChunk(segment, position.offset)
  if (read.events.length > 0 || read.end > position.offset) {
    for (const event of read.events) index.insert(event)
    const last = read.events.at(-1)
    index.move({
      segment: segment.firstSeq,
      offset: read.end,
      seq: last?.seq ?? position.seq,
      hash: read.hash,
    })
    return read.events.length
  }
  const next = segments[at + 1]
  if (next === undefined) return undefined
  index.move({ segment: next.firstSeq, offset: 0, seq: position.seq, hash: '' })
  return 0
}

/** Where to go on: the stored position, unless what it stands on is gone (dropped, taken back after a failed write, replaced). */
function validPosition(segments: readonly Segment[], index: IndexDatabase): IndexPosition {
  const first = segments[0]?.firstSeq ?? 1
  index.forget({ before: first })
  const position = index.position()
  const start = { segment: first, offset: 0, seq: 0, hash: '' }
  if (position === undefined) return start
  const segment = segments.find((each) => each.firstSeq === position.segment)
  if (segment === undefined) {
    if (position.segment < first) return start
    index.clear()
    return start
  }
  if (standsOn(segment, position)) return position
  index.forget({ from: segment.firstSeq })
  return { ...start, segment: segment.firstSeq }
}

const hashBytes = 64
const closing = '"}\n'

/** @returns whether the record that the position names still ends where it did */
export function standsOn(segment: Segment, { offset, hash }: IndexPosition): boolean {
  if (offset === 0) return true
  const length = hashBytes + closing.length
  const descriptor = openSync(segment.path, 'r')
  try {
    const buffer = Buffer.alloc(length)
    const read = readSync(descriptor, buffer, 0, length, Math.max(0, offset - length))
    return read === length && (hash === '' || buffer.toString('latin1') === `${hash}${closing}`)
  } finally {
    closeSync(descriptor)
  }
}

interface Chunk {
  readonly events: readonly IndexedEvent[]
  /** Of the last record that was read. */
  readonly hash: string
  /** Where the last whole line ends. */
  readonly end: number
}

function readChunk(segment: Segment, from: number): Chunk {
  const descriptor = openSync(segment.path, 'r')
  try {
    const splitter = new LineSplitter(from)
    const lines: Line[] = []
    const { size } = fstatSync(descriptor)
    for (let at = from; at < size && lines.length === 0; at += chunkBytes) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size - at))
      const read = readSync(descriptor, buffer, 0, buffer.length, at)
      lines.push(...splitter.split(buffer.subarray(0, read)))
    }
    const records = lines.map((line) => ({ line, record: parseRecord(line.bytes.toString('utf8')) }))
    const last = records.at(-1)
    return {
      // A line that is no record is `verify`'s to name; it cannot be found by anything.
      events: records.flatMap(({ line, record }) =>
        record === undefined ? [] : [indexed(record, line, segment)],
      ),
      hash: last?.record?.hash ?? '',
      end: last === undefined ? from : last.line.offset + last.line.length,
    }
  } finally {
    closeSync(descriptor)
  }
}

function indexed(record: AuditRecord, line: Line, segment: Segment): IndexedEvent {
  return {
    seq: record.seq,
    time: Date.parse(record.time) || 0,
    type: record.type,
    outcome: record.outcome,
    reason: record.reason,
    code: publicCodeOf(record),
    subject: record.identity?.subject,
    route: record.route,
    requestId: record.requestId,
    place: { segment: segment.firstSeq, offset: line.offset, length: line.length },
  }
}
