/** Names what happened where the chain does not go on, by looking at the lines that come after. */
import type { PlacedLine } from './records.ts'
import type { Fault } from './report.ts'

/** The last record that holds. */
export interface Base {
  readonly seq: number
  /** Unknown before the first record of a log whose beginning was dropped. */
  readonly hash: string | undefined
  /** A checkpoint names exactly this record and hash. */
  readonly isSigned: boolean
}

export function continues(base: Pick<Base, 'seq' | 'hash'>, line: PlacedLine | undefined): boolean {
  const { link } = line ?? {}
  return (
    link !== undefined &&
    link.seq === base.seq + 1 &&
    (base.hash === undefined || link.previousHash === base.hash)
  )
}

export async function diagnose(
  base: Base,
  line: PlacedLine,
  rest: AsyncGenerator<PlacedLine>,
): Promise<Fault> {
  const place = { segment: line.segment.name, line: line.number }
  const next = (await rest.next()).value as PlacedLine | undefined
  const expected = base.seq + 1
  if (line.link === undefined) {
    return continues(base, next)
      ? {
          problem: 'inserted',
          seq: expected,
          message: `before record ${expected} stands a line that is none`,
          ...place,
        }
      : {
          problem: 'changed',
          seq: expected,
          message: `record ${expected} does not have the hash of its bytes`,
          ...place,
        }
  }
  const { seq } = line.link
  if (seq === expected) return { ...whichChanged(base, line, next), ...place }
  if (seq < expected) {
    return {
      problem: 'inserted',
      seq,
      message: `a second record ${seq} stands after record ${base.seq}`,
      ...place,
    }
  }
  return { ...(await jumped(base, line, next, rest)), ...place }
}

/** The seq is right and `previousHash` is not: one of two neighbours was changed and given a fitting hash of its own. */
function whichChanged(base: Base, line: PlacedLine, next: PlacedLine | undefined): Fault {
  const expected = base.seq + 1
  const isBoundToNext = next?.link === undefined || next.link.previousHash === line.link?.hash
  const isBase = base.seq > 0 && !base.isSigned && isBoundToNext
  const seq = isBase ? base.seq : expected
  return {
    problem: 'changed',
    seq,
    message: `record ${seq} was changed and its hash computed anew: record ${expected} does not follow record ${base.seq}`,
  }
}

async function jumped(
  base: Base,
  line: PlacedLine,
  next: PlacedLine | undefined,
  rest: AsyncGenerator<PlacedLine>,
): Promise<Fault> {
  const expected = base.seq + 1
  const seq = line.link?.seq ?? 0
  const swapped: Fault = {
    problem: 'swapped',
    seq: expected,
    message: `record ${seq} stands where record ${expected} should, which comes later`,
  }
  if (continues(base, next)) {
    const afterNext = (await rest.next()).value as PlacedLine | undefined
    const isExtra =
      afterNext === undefined
        ? seq !== expected + 1
        : continues({ seq: expected, hash: next?.link?.hash }, afterNext)
    return isExtra
      ? { problem: 'inserted', seq: expected, message: `record ${seq} was put in before record ${expected}` }
      : swapped
  }
  for await (const later of rest) if (later.link?.seq === expected) return swapped
  const missing = seq === expected + 1 ? `record ${expected} is` : `records ${expected} to ${seq - 1} are`
  return { problem: 'dropped', seq: expected, message: `${missing} missing` }
}
