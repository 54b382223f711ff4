/** The last events, and those that come. */
import { open } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { parseRecord, type AuditRecord } from '../format/event.ts'
import { readLines } from '../format/lines.ts'
import { listSegments, type Segment } from '../format/segments.ts'
import { ifThere } from './scan.ts'

export interface TailOptions {
  /** How many of the last events come first. */
  readonly lines: number
  /** Go on with new ones until the signal. */
  readonly follow: boolean
  readonly signal?: AbortSignal
}

interface Place {
  readonly segment: Segment
  readonly offset: number
}

/** Milliseconds. Watching a directory tells different things on different systems; looking is the same everywhere. */
const pollEvery = 200

export async function* tailAudit(directory: string, options: TailOptions): AsyncGenerator<AuditRecord> {
  let place = await startOfLast(await listSegments(directory), options.lines)
  do {
    const segments = await listSegments(directory)
    place ??= segments[0] === undefined ? undefined : { segment: segments[0], offset: 0 }
    if (place !== undefined) place = yield* readOn(place, segments)
  } while (options.follow && (await isGoingOn(options.signal)))
}

/** Yields what is there from a place on. The list of segments must be older than the reading: then a file with a successor is whole. */
async function* readOn(place: Place, segments: readonly Segment[]): AsyncGenerator<AuditRecord, Place> {
  let { segment, offset } = place
  for (;;) {
    for await (const lines of ifThere(readLines(segment.path, offset))) {
      for (const line of lines) {
        if (!line.isComplete) continue
        offset = line.offset + line.length
        const record = parseRecord(line.bytes.toString('utf8'))
        if (record !== undefined) yield record
      }
    }
    const next = segments.find((each) => each.firstSeq > segment.firstSeq)
    if (next === undefined) return { segment, offset }
    segment = next
    offset = 0
  }
}

async function isGoingOn(signal: AbortSignal | undefined): Promise<boolean> {
  if (signal?.aborted === true) return false
  try {
    await delay(pollEvery, undefined, signal === undefined ? {} : { signal })
    return true
  } catch {
    return false
  }
}

async function startOfLast(segments: readonly Segment[], count: number): Promise<Place | undefined> {
  let wanted = count
  for (const segment of segments.toReversed()) {
    const found = await backwards(segment, wanted)
    if (found.offset !== undefined) return { segment, offset: found.offset }
    wanted -= found.lines
  }
  return segments[0] === undefined ? undefined : { segment: segments[0], offset: 0 }
}

const chunkBytes = 64 * 1024

/** @returns where the last `wanted` whole lines begin, or how many there are when they are fewer */
async function backwards(
  segment: Segment,
  wanted: number,
): Promise<{ readonly lines: number; readonly offset?: number }> {
  const handle = await open(segment.path, 'r')
  try {
    let newlines = 0
    for (let end = (await handle.stat()).size; end > 0;) {
      const start = Math.max(0, end - chunkBytes)
      const { buffer } = await handle.read(Buffer.alloc(end - start), 0, end - start, start)
      for (let at = buffer.lastIndexOf(10); at >= 0; at = at === 0 ? -1 : buffer.lastIndexOf(10, at - 1)) {
        newlines++
        if (newlines > wanted) return { lines: wanted, offset: start + at + 1 }
      }
      end = start
    }
    return { lines: newlines }
  } finally {
    await handle.close()
  }
}
