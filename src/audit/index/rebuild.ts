/** Makes the index of segments that have none, or a part of one: everything in it comes from their lines. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { parseRecord } from '../format/event.ts'
import { LineSplitter, type Line } from '../format/lines.ts'
import { listSegmentsSync, type Segment } from '../format/segments.ts'
import { BlockBuilder } from './block.ts'
import { replaceIndex } from './files.ts'

/**
 * Builds the index of a log anew, also while a gateway writes it.
 * @returns how many events it holds
 */
export function rebuildIndex(directory: string): number {
  let events = 0
  for (const segment of listSegmentsSync(directory)) events += rebuildSegment(segment)
  return events
}

/** @returns how many events its index holds; 0 when retention has dropped it meanwhile */
export function rebuildSegment(segment: Segment): number {
  const blocks: Buffer[] = []
  let events = 0
  try {
    for (const block of blocksOf(segment, 0)) {
      blocks.push(block.bytes())
      events += block.events
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
  replaceIndex(segment, blocks)
  return events
}

/** Reads the lines from a place on, up to what is there now. */
export function* blocksOf(segment: Segment, from: number): Generator<BlockBuilder> {
  let block = new BlockBuilder(from)
  for (const line of linesFrom(segment, from)) {
    const record = parseRecord(line.bytes.toString('utf8'))
    if (record === undefined) continue
    block.add(record, Date.parse(record.time) || 0, line.offset + line.length, record.hash)
    if (!block.isFull) continue
    yield block
    block = new BlockBuilder(block.to)
  }
  if (!block.isEmpty) yield block
}

const chunkBytes = 1024 * 1024

function* linesFrom(segment: Segment, from: number): Generator<Line> {
  const descriptor = openSync(segment.path, 'r')
  try {
    const splitter = new LineSplitter(from)
    const { size } = fstatSync(descriptor)
    for (let at = from; at < size;) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, size - at))
      const read = readSync(descriptor, buffer, 0, buffer.length, at)
      if (read === 0) return
      at += read
      yield* splitter.split(buffer.subarray(0, read))
    }
  } finally {
    closeSync(descriptor)
  }
}
