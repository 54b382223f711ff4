/**
 * What a start finds: where the chain ends, what no checkpoint has signed, what a crash left unfinished, and what is
 * missing. Looks at the newest segment only, so that a start stays quick; the whole log is `verify`'s.
 */
import { createHash, type KeyObject } from 'node:crypto'
import { open, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OnAlarm } from '../alarm.ts'
import { follows, genesis, readLink, type ChainEnd } from '../format/chain.ts'
import { isSignedBy, keyId, type Checkpoint } from '../format/checkpoint.ts'
import { readLines } from '../format/lines.ts'
import type { StartFacts } from '../format/own-events.ts'
import { checkpointsName, listSegments, type Segment } from '../format/segments.ts'
import type { FoundCheckpoints } from './checkpoint-file.ts'
import { findLastCheckpoint } from './find-checkpoint.ts'

export interface Recovered {
  readonly segments: readonly KnownSegment[]
  readonly end: ChainEnd
  readonly checkpoints: FoundCheckpoints
  readonly facts: Omit<StartFacts, 'key' | 'mode'>
}

export interface KnownSegment extends Segment {
  /** Bytes up to the end of the last whole line. */
  readonly size: number
}

export async function recover(directory: string, publicKey: KeyObject, onAlarm: OnAlarm): Promise<Recovered> {
  const checkpointsPath = join(directory, checkpointsName)
  const checkpoints = await findLastCheckpoint(checkpointsPath)
  const signed = checkpoints.last?.checkpoint
  const segments = await withSizes(await listSegments(directory))
  const newest = await scanNewest(segments, signed)
  const torn = newest.tornFrom === undefined ? undefined : await cutTorn(directory, segments, newest, onAlarm)
  judge({ signed, newest, publicKey, checkpointBytes: await sizeOf(checkpointsPath) }, onAlarm)

  const ends = [newest.end, signed].filter((end) => end !== undefined)
  const end = ends.reduce((later, each) => (each.seq > later.seq ? each : later), { seq: 0, hash: genesis })
  const logSeq = newest.end?.seq ?? 0
  const signedSeq = signed?.seq ?? 0
  return {
    segments: await withoutEmpty(segments, newest, torn !== undefined),
    end: { seq: end.seq, hash: end.hash },
    checkpoints,
    facts: {
      ...(logSeq > signedSeq && { unsigned: { from: signedSeq + 1, to: logSeq } }),
      ...(signedSeq > logSeq && { missing: { from: logSeq + 1, to: signedSeq } }),
      ...(torn !== undefined && { torn }),
      ...(signed !== undefined && { checkpoint: { seq: signed.seq, hash: signed.hash } }),
    },
  }
}

interface Newest {
  readonly segment?: Segment
  readonly end?: ChainEnd
  /** Where the unfinished end begins, in the newest segment. */
  readonly tornFrom?: number
  readonly size: number
  /** A record that does not hold, with good ones after it. */
  readonly brokenAfter?: number
  /** The record that the last checkpoint names has another hash. */
  readonly contradictsCheckpoint: boolean
}

async function scanNewest(
  segments: readonly KnownSegment[],
  signed: Checkpoint | undefined,
): Promise<Newest> {
  for (const segment of segments.toReversed()) {
    const found = await scan(segment, signed)
    // A crash between making a segment and its first line leaves it empty: the chain ends in the one before.
    if (found.end !== undefined || found.tornFrom !== undefined) {
      return found.end === undefined ? { ...found, ...(await endBefore(segments, segment)) } : found
    }
  }
  return { size: 0, contradictsCheckpoint: false }
}

async function endBefore(
  segments: readonly KnownSegment[],
  segment: Segment,
): Promise<{ readonly end?: ChainEnd }> {
  const before = segments.findLast((each) => each.firstSeq < segment.firstSeq)
  const end = before === undefined ? undefined : (await scan(before, undefined)).end
  return end === undefined ? {} : { end }
}

async function scan(segment: KnownSegment, signed: Checkpoint | undefined): Promise<Newest> {
  let end: ChainEnd | undefined
  let badFrom: number | undefined
  let brokenAfter: number | undefined
  let contradictsCheckpoint = false
  for await (const lines of readLines(segment.path)) {
    for (const line of lines) {
      const link = line.isComplete ? readLink(line.bytes) : undefined
      if (link === undefined) {
        badFrom ??= line.offset
        continue
      }
      const holds = badFrom === undefined && (end === undefined || follows(end, link))
      if (!holds) brokenAfter ??= end?.seq ?? segment.firstSeq - 1
      badFrom = undefined
      if (link.seq === signed?.seq && link.hash !== signed.hash) contradictsCheckpoint = true
      end = link
    }
  }
  return {
    segment,
    size: badFrom ?? segment.size,
    contradictsCheckpoint,
    ...(end !== undefined && { end: { seq: end.seq, hash: end.hash } }),
    ...(badFrom !== undefined && { tornFrom: badFrom }),
    ...(brokenAfter !== undefined && { brokenAfter }),
  }
}

/** Cuts an unfinished end. More than one unfinished line is no ordinary crash: it is kept beside the log. */
async function cutTorn(
  directory: string,
  segments: readonly KnownSegment[],
  newest: Newest,
  onAlarm: OnAlarm,
): Promise<StartFacts['torn']> {
  const segment = segments.find((each) => each.name === newest.segment?.name)
  if (segment === undefined || newest.tornFrom === undefined) return undefined
  const handle = await open(segment.path, 'r+')
  try {
    const bytes = segment.size - newest.tornFrom
    const { buffer } = await handle.read(Buffer.alloc(bytes), 0, bytes, newest.tornFrom)
    const sha256 = createHash('sha256').update(buffer).digest('hex')
    const isOneLine = !buffer.includes(10)
    const savedAs = isOneLine ? undefined : `damaged-${sha256.slice(0, 16)}.bin`
    if (savedAs !== undefined) await writeFile(join(directory, savedAs), buffer, { mode: 0o600, flush: true })
    await handle.truncate(newest.tornFrom)
    await handle.sync()
    const kept = savedAs === undefined ? '' : `, kept as ${savedAs}`
    onAlarm('torn_line', `${bytes} bytes after record ${newest.end?.seq ?? 0} in ${segment.name}${kept}`)
    return { bytes, sha256, ...(savedAs !== undefined && { savedAs }) }
  } finally {
    await handle.close()
  }
}

interface Findings {
  readonly signed: Checkpoint | undefined
  readonly newest: Newest
  readonly publicKey: KeyObject
  readonly checkpointBytes: number
}

function judge({ signed, newest, publicKey, checkpointBytes }: Findings, onAlarm: OnAlarm): void {
  const key = keyId(publicKey)
  const logSeq = newest.end?.seq ?? 0
  if (signed === undefined && checkpointBytes > 0) {
    onAlarm('chain_broken', `the end of ${checkpointsName} is not a checkpoint`)
  }
  if (signed !== undefined && signed.key !== key) {
    onAlarm('key_changed', `records up to ${signed.seq} are signed by key ${signed.key}, this is ${key}`)
  } else if (signed !== undefined && !isSignedBy(signed, new Map([[key, publicKey]]))) {
    onAlarm('chain_broken', `the checkpoint of record ${signed.seq} is not signed by the audit key`)
  }
  if (signed !== undefined && signed.seq > logSeq) {
    onAlarm('records_missing', `the log ends at record ${logSeq}, a checkpoint names record ${signed.seq}`)
  }
  if (newest.brokenAfter !== undefined) onAlarm('chain_broken', `after record ${newest.brokenAfter}`)
  if (newest.contradictsCheckpoint)
    onAlarm('chain_broken', `record ${signed?.seq} is not the one that was signed`)
}

async function withSizes(segments: readonly Segment[]): Promise<KnownSegment[]> {
  return await Promise.all(
    segments.map(async (segment) => ({ ...segment, size: (await stat(segment.path)).size })),
  )
}

/** The segments with their good sizes. Empty ones at the end go: their names promise a record that may get another seq. */
async function withoutEmpty(
  segments: readonly KnownSegment[],
  newest: Newest,
  wasCut: boolean,
): Promise<KnownSegment[]> {
  const known = segments.map((segment) =>
    wasCut && segment.name === newest.segment?.name ? { ...segment, size: newest.size } : segment,
  )
  const lastFull = known.findLastIndex((segment) => segment.size > 0)
  for (const empty of known.slice(lastFull + 1)) await rm(empty.path)
  return known.slice(0, lastFull + 1)
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch {
    return 0
  }
}
