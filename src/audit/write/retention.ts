/** Which old segments go, and whether the log fills faster than it may. Decides only; the log writes and deletes. */
import type { ChainEnd } from '../format/chain.ts'
import { readFirstLink, readLastLink } from '../format/lines.ts'
import type { RetainedSegment, RetainFacts } from '../format/own-events.ts'
import type { Segment } from '../format/segments.ts'
import type { Trim } from './checkpoint-file.ts'
import type { Journal } from './journal.ts'

export interface RetentionSettings {
  /** Bytes of all segments and the checkpoints together. */
  readonly size: number
  /** Milliseconds. */
  readonly age: number
}

/** One `retain` event names at most this many; the rest go with the next. */
const mostAtOnce = 32

export interface RetentionPlan {
  readonly facts: RetainFacts
  readonly trim?: Trim
}

/** @returns what goes now, oldest first; never the current segment. Undefined when nothing does. */
export async function planRetention(
  journal: Journal,
  { size, age }: RetentionSettings,
  now: number,
): Promise<RetentionPlan | undefined> {
  const segments: RetainedSegment[] = []
  let cause: RetainFacts['cause'] = 'size'
  let bytes = journal.bytes
  for (const [index, segment] of journal.older.entries()) {
    const next = journal.older[index + 1] ?? journal.current
    const following = next === undefined ? undefined : await readFirstLink(next.path)
    // A segment whose successor does not begin as it should is evidence: it stays.
    if (following === undefined || segments.length === mostAtOnce) break
    const last = (await readLastLink(segment.path, segment.size)) ?? following
    const isOld = Date.parse(last.time) < now - age
    if (bytes <= size && !isOld) break
    if (bytes <= size) cause = 'age'
    const end = { seq: following.seq - 1, hash: following.previousHash }
    segments.push(await describe(segment, segment.size, end))
    bytes -= segment.size
  }
  const last = segments.at(-1)
  if (last === undefined) return undefined
  const trim = await journal.checkpoints.planTrim(last.lastSeq)
  if (trim === undefined) return { facts: { cause, segments } }
  return { facts: { cause, segments, checkpoints: { seq: trim.seq, lineHash: trim.lineHash } }, trim }
}

async function describe(segment: Segment, bytes: number, end: ChainEnd): Promise<RetainedSegment> {
  const first = await readFirstLink(segment.path)
  return {
    name: segment.name,
    firstSeq: segment.firstSeq,
    lastSeq: end.seq,
    ...(first !== undefined && { firstHash: first.hash }),
    lastHash: end.hash,
    bytes,
  }
}

/**
 * @returns whether `size` will be met before `age`, judged by how fast the log that is there was written. A log that is
 * less than half full has not shown it yet: the first burst after a start says nothing about 400 days.
 */
export async function isUnderPressure(
  journal: Journal,
  { size, age }: RetentionSettings,
  now: number,
): Promise<boolean> {
  const oldest = journal.older[0] ?? journal.current
  if (oldest === undefined || journal.bytes < size / 2) return false
  const first = await readFirstLink(oldest.path)
  const since = Date.parse(first?.time ?? '')
  return !Number.isNaN(since) && ((now - since) * size) / journal.bytes < age
}
