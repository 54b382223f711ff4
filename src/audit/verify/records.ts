/** Every line of a log in order, each with its place and its link. */
import { readLink, type Link } from '../format/chain.ts'
import { readLines } from '../format/lines.ts'
import type { Segment } from '../format/segments.ts'

export interface PlacedLine {
  readonly bytes: Buffer
  /** Undefined when the line is no record, or its hash is not that of its bytes. */
  readonly link: Link | undefined
  readonly segment: Segment
  /** From 1. */
  readonly number: number
  /** Bytes of an unfinished last line of the last segment; 0 for all other lines. */
  readonly torn: number
}

export async function* placedLines(segments: readonly Segment[]): AsyncGenerator<PlacedLine[]> {
  for (const segment of segments) {
    let number = 0
    for await (const lines of readLines(segment.path)) {
      yield lines.map(({ bytes, isComplete, length }) => ({
        bytes,
        link: isComplete ? readLink(bytes) : undefined,
        segment,
        number: ++number,
        torn: !isComplete && segment === segments.at(-1) ? length : 0,
      }))
    }
  }
}

/** The lines from a place on, one by one. */
export async function* rest(
  batch: readonly PlacedLine[],
  source: AsyncGenerator<PlacedLine[]>,
): AsyncGenerator<PlacedLine> {
  yield* batch
  for await (const lines of source) yield* lines
}
